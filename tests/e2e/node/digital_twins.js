// The vendor's unmodified Node service SDK: calls any method of DigitalTwinClient.
'use strict';

const { DigitalTwinClient, IoTHubTokenCredentials } = require('azure-iothub');
const { serve } = require('./lines');

const client = new DigitalTwinClient(new IoTHubTokenCredentials(process.env.SERVICE_CONNECTION_STRING));

serve({
  async call({ method, values }) {
    const answer = await client[method](...values);
    if (answer === undefined) return null;
    const response = answer._response;
    return { headers: response.headers.rawHeaders(), body: JSON.parse(response.bodyAsText || 'null') };
  },
});
