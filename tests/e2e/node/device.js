// Devices and modules of the vendor's unmodified Node SDK, as many as a test wants, each under a handle of its own.
'use strict';

const { Readable } = require('node:stream');

const { Client, ModuleClient, Message } = require('azure-iot-device');
const { Amqp, AmqpWs } = require('azure-iot-device-amqp');
const { Http } = require('azure-iot-device-http');
const { Mqtt, MqttWs } = require('azure-iot-device-mqtt');
const { serve, tell } = require('./lines');

const TRANSPORTS = { amqp: Amqp, 'amqp-websocket': AmqpWs, https: Http, mqtt: Mqtt, websocket: MqttWs };
const FIELDS = [
  'messageId', 'correlationId', 'userId', 'to', 'contentType', 'contentEncoding', 'expiryTimeUtc', 'ack', 'interfaceId',
];
const clients = new Map();
const twins = new Map();

function message({ data, properties, fields }) {
  const made = new Message(Buffer.from(data, 'base64'));
  Object.assign(made, fields);
  for (const [key, value] of properties) made.properties.add(key, value);
  return made;
}

function told(received) {
  return {
    data: received.getBytes().toString('base64'), // over HTTPS `data` is a text
    properties: received.properties.propertyList.map(({ key, value }) => [key, value]),
    fields: Object.fromEntries(FIELDS.map((name) => [name, received[name]])),
  };
}

serve({
  async open({ handle, connectionString, transport, module, options }) {
    const kind = module ? ModuleClient : Client;
    const client = kind.fromConnectionString(connectionString, TRANSPORTS[transport]);
    await client.setOptions(options);
    client.on('connect', () => tell({ handle, event: 'connect' }));
    client.on('disconnect', (reason) => tell({ handle, event: 'disconnect', value: reason && reason.name }));
    client.on('error', () => {}); // told by 'disconnect' and by the call that failed
    client._transport._authenticationProvider?.on?.('newTokenAvailable', () => tell({ handle, event: 'token' }));
    clients.set(handle, client);
    await client.open();
  },
  async close({ handle }) {
    await clients.get(handle).close();
    clients.delete(handle);
    twins.delete(handle);
  },
  async send({ handle, output, ...given }) {
    const client = clients.get(handle);
    await (output ? client.sendOutputEvent(output, message(given)) : client.sendEvent(message(given)));
  },
  async sendBatch({ handle, messages }) {
    await clients.get(handle).sendEventBatch(messages.map(message));
  },
  async listen({ handle, settle = 'complete' }) {
    const client = clients.get(handle);
    client.on('message', (received) => {
      tell({ handle, event: 'message', value: told(received) });
      if (settle === 'leave') return;
      client[settle](received, (error) => tell({ handle, event: 'settled', value: error ? String(error) : null }));
    });
  },
  async hear({ handle }) {
    clients.get(handle).on('inputMessage', (input, received) => tell({ handle, event: 'input', value: told(received) }));
  },
  async invoke({ handle, deviceId, moduleId, call }) {
    const target = moduleId ? [deviceId, moduleId] : [deviceId];
    return clients.get(handle).invokeMethod(...target, call);
  },
  async upload({ handle, name, size }) {
    const content = Buffer.alloc(size, 'the noise of the press ');
    await clients.get(handle).uploadToBlob(name, Readable.from([content]), size);
  },
  async beginUpload({ handle, name }) {
    return clients.get(handle).getBlobSharedAccessSignature(name);
  },
  async endUpload({ handle, correlationId, success, status }) {
    await clients.get(handle).notifyBlobUploadStatus(correlationId, success, status, 'told');
  },
  async answer({ handle, method, status }) {
    const client = clients.get(handle);
    const register = client.onDeviceMethod ? client.onDeviceMethod : client.onMethod;
    register.call(client, method, (request, response) => response.send(status, request.payload));
  },
  async twin({ handle }) {
    const twin = await clients.get(handle).getTwin();
    twins.set(handle, twin);
    const { desired, reported } = twin.properties;
    return JSON.parse(JSON.stringify({ desired, reported: { ...reported, update: undefined } }));
  },
  async follow({ handle }) {
    twins.get(handle).on('properties.desired', (value) => tell({ handle, event: 'desired', value }));
  },
  async report({ handle, patch }) {
    await new Promise((resolve, reject) => {
      twins.get(handle).properties.reported.update(patch, (error) => (error ? reject(error) : resolve()));
    });
  },
});
