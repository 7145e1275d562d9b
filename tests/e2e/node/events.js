// The vendor's unmodified Node SDK for event readers: consumers and their subscriptions, each under a handle.
'use strict';

const WebSocket = require('ws');
const { EventHubConsumerClient, EventHubProducerClient } = require('@azure/event-hubs');
const { serve, tell } = require('./lines');

const clients = new Map();
const subscriptions = new Map();

function told(event) {
  return {
    body: Buffer.isBuffer(event.body) ? { base64: event.body.toString('base64') } : event.body,
    properties: event.properties,
    systemProperties: event.systemProperties,
    sequenceNumber: event.sequenceNumber,
    offset: event.offset,
    enqueuedAt: event.enqueuedTimeUtc.getTime(),
  };
}

serve({
  async open({ handle, connectionString, group, websocket, options = {} }) {
    const how = websocket ? { webSocketOptions: { webSocket: WebSocket } } : {};
    clients.set(handle, new EventHubConsumerClient(group, connectionString, { ...how, ...options }));
  },
  async close({ handle }) {
    await clients.get(handle).close();
    clients.delete(handle);
  },
  async properties({ handle }) {
    const { name, partitionIds, createdOn } = await clients.get(handle).getEventHubProperties();
    return { name, partitionIds, createdOn: createdOn.getTime() };
  },
  async partitions({ handle }) {
    return clients.get(handle).getPartitionIds();
  },
  async partition({ handle, partition }) {
    const found = await clients.get(handle).getPartitionProperties(partition);
    return { ...found, lastEnqueuedOnUtc: found.lastEnqueuedOnUtc.getTime() };
  },
  // Reads one partition; events, errors and the reason of the end are told as they come.
  async subscribe({ handle, reader, partition, start, options = {} }) {
    const startPosition = start.enqueuedOn ? { ...start, enqueuedOn: new Date(start.enqueuedOn) } : start;
    const handlers = {
      async processEvents(events, context) {
        for (const event of events) tell({ handle: reader, event: 'event', value: told(event) });
        const last = context.lastEnqueuedEventProperties;
        if (last && events.length) tell({ handle: reader, event: 'last', value: last });
      },
      async processError(error) {
        tell({ handle: reader, event: 'error', value: { name: error.name, code: error.code, message: error.message } });
      },
      async processClose(reason) {
        tell({ handle: reader, event: 'close', value: reason });
      },
    };
    const asked = { startPosition, maxBatchSize: 50, maxWaitTimeInSeconds: 1, ...options };
    subscriptions.set(reader, clients.get(handle).subscribe(partition, handlers, asked));
  },
  async unsubscribe({ reader }) {
    await subscriptions.get(reader).close();
    subscriptions.delete(reader);
  },
  async produce({ connectionString }) {
    const producer = new EventHubProducerClient(connectionString, { retryOptions: { maxRetries: 0 } });
    try {
      await producer.sendBatch([{ body: 'not for you' }]);
    } finally {
      await producer.close();
    }
  },
});
