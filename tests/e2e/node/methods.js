// Prints what can be called on the classes of the vendor's Node SDKs, as JSON by the name of the class.
'use strict';

const device = require('azure-iot-device');
const events = require('@azure/event-hubs');
const service = require('azure-iothub');

function methods(owner) {
  const found = new Set();
  for (let kind = owner.prototype; kind && kind.constructor.name !== 'EventEmitter'; kind = Object.getPrototypeOf(kind)) {
    if (kind === Object.prototype) break;
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(kind))) {
      if (typeof value === 'function' && name !== 'constructor' && !name.startsWith('_')) found.add(name);
    }
  }
  return [...found].sort();
}

const { Registry, Client, JobClient, Twin, DigitalTwinClient } = service;
const classes = {
  Registry, Client, JobClient, Twin, DigitalTwinClient,
  EventHubConsumerClient: events.EventHubConsumerClient,
  DeviceClient: device.Client, ModuleClient: device.ModuleClient, DeviceTwin: device.Twin,
};
const told = Object.fromEntries(Object.entries(classes).map(([name, kind]) => [name, methods(kind)]));
process.stdout.write(JSON.stringify(told));
