// The vendor's unmodified Node service SDK: calls any method of Registry or Client, over REST.
'use strict';

const { Client, Registry } = require('azure-iothub');
const { serve } = require('./lines');

const services = {
  registry: Registry.fromConnectionString(process.env.SERVICE_CONNECTION_STRING),
  client: Client.fromConnectionString(process.env.SERVICE_CONNECTION_STRING),
};

serve({
  async call({ service, method, values }) {
    const answer = await services[service][method](...values);
    if (answer === undefined || answer === null) return null;
    return answer.responseBody ?? answer.result ?? null;
  },
});
