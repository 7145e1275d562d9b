// The vendor's unmodified Node service SDK over AMQP: clients that send commands and listen for what became of them.
'use strict';

const { Amqp, AmqpWs, Client } = require('azure-iothub');
const { Message, NoRetry } = require('azure-iot-common');
const { serve, tell } = require('./lines');

const TRANSPORTS = { amqp: Amqp, 'amqp-websocket': AmqpWs };
const RECEIVERS = { feedback: 'getFeedbackReceiver', file: 'getFileNotificationReceiver' };
const clients = new Map();
const receivers = new Map();

function message({ data, properties = [], fields = {} }) {
  const made = new Message(Buffer.from(data, 'base64'));
  Object.assign(made, fields);
  for (const [key, value] of properties) made.properties.add(key, value);
  return made;
}

// The class that the SDK made of the hub's answer, and the answer.
async function explained(promise) {
  try {
    return await promise;
  } catch (error) {
    const { condition, description, name } = error.amqpError || {};
    error.responseBody = { condition, description, name };
    throw error;
  }
}

serve({
  async open({ handle, connectionString, transport }) {
    const client = Client.fromConnectionString(connectionString, TRANSPORTS[transport]);
    client.setRetryPolicy(new NoRetry());
    client.on('disconnect', ({ reason }) => tell({ handle, event: 'disconnect', value: reason && reason.condition }));
    clients.set(handle, client);
    await explained(client.open());
  },
  async close({ handle }) {
    await clients.get(handle).close();
    clients.delete(handle);
  },
  async send({ handle, device, ...given }) {
    await explained(clients.get(handle).send(device, message(given)));
  },
  // Messages about `device` are told as they come, and each is settled by the next of `verdicts`, the last of which holds
  // for the rest; those about others only are completed.
  async listen({ handle, kind, device, verdicts }) {
    const settle = (receiver, received) => {
      const body = JSON.parse(received.getBytes().toString());
      if (![].concat(body).some((record) => record.deviceId === device)) {
        receiver.complete(received, () => {});
        return;
      }
      tell({ handle, event: kind, value: { body, contentType: received.contentType, userId: String(received.userId) } });
      const verdict = verdicts.length > 1 ? verdicts.shift() : verdicts[0];
      receiver[verdict](received, (error) => tell({ handle, event: 'settled', value: error ? String(error) : null }));
    };
    await explained(new Promise((resolve, reject) => {
      // Not by its promise: what comes right behind the hub's answer would find nobody who listens.
      clients.get(handle)[RECEIVERS[kind]]((error, receiver) => {
        if (error) {
          reject(error);
          return;
        }
        receivers.set(`${handle}/${kind}`, receiver);
        receiver.on('message', (received) => settle(receiver, received));
        resolve();
      });
    }));
  },
  async detach({ handle, kind }) {
    await receivers.get(`${handle}/${kind}`).detach();
  },
});
