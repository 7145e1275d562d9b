// The vendor's unmodified Node service SDK: calls any method of Registry or Client, over REST.
'use strict';

const { Client, Registry } = require('azure-iothub');
const { serve } = require('./lines');

const services = {
  registry: Registry.fromConnectionString(process.env.SERVICE_CONNECTION_STRING),
  client: Client.fromConnectionString(process.env.SERVICE_CONNECTION_STRING),
};

serve({
  // Every page of a query, as the SDK hands it out: raw rows, or twins of which the plain part is kept.
  async query({ text, pageSize, method }) {
    const query = services.registry.createQuery(text, pageSize);
    const pages = [];
    while (query.hasMoreResults) {
      const { result } = await query[method]();
      pages.push(result.map(({ _registry, ...row }) => row));
    }
    return pages;
  },

  // A Twin object: changed by its own method, then read again by another.
  async twin({ device, patch }) {
    const twin = (await services.registry.getTwin(device)).responseBody;
    await twin.update(patch);
    await twin.get();
    const { _registry, ...row } = twin;
    return row;
  },

  async call({ service, method, values }) {
    const answer = await services[service][method](...values);
    if (answer === undefined || answer === null) return null;
    // Import and export jobs come as they are, everything else beside the HTTP response.
    return answer.responseBody ?? answer.result ?? (answer.jobId ? answer : null);
  },
});
