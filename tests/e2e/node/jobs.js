// The vendor's unmodified Node service SDK: its JobClient, over REST. An instant is handed in as {"instant": "ISO 8601"}.
'use strict';

const { JobClient } = require('azure-iothub');
const { serve } = require('./lines');

const jobs = JobClient.fromConnectionString(process.env.SERVICE_CONNECTION_STRING);
const revived = (value) => (value && value.instant ? new Date(value.instant) : value);

serve({
  async call({ method, values }) {
    const answer = await jobs[method](...values.map(revived));
    return answer.jobStatus;
  },
  async list({ type, status, pageSize }) {
    const query = jobs.createQuery(type, status, pageSize);
    const pages = [];
    while (query.hasMoreResults) pages.push((await query.next(query.continuationToken)).result);
    return pages;
  },
});
