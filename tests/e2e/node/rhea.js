// rhea, the AMQP library below the vendor's Node SDKs, as a client of whatever speaks AMQP 1.0 without TLS.
'use strict';

const rhea = require('rhea');
const { serve } = require('./lines');

const OUTCOMES = ['accepted', 'released', 'rejected', 'modified'];
const VERDICTS = {
  accept: (delivery) => delivery.accept(),
  release: (delivery) => delivery.release(),
  modify: (delivery) => delivery.release({ delivery_failed: true }),
  reject: (delivery) => delivery.reject({ condition: 'vendor:no', description: 'because' }),
};
let connection;
let session;
let ended; // by the server

function once(emitter, event, failures = []) {
  return new Promise((resolve, reject) => {
    emitter.once(event, resolve);
    for (const failure of failures) {
      emitter.once(failure, (context) => {
        const ended = context.sender || context.receiver || context.connection;
        reject(new Error(`${failure}: ${ended.error && ended.error.condition}`));
      });
    }
  });
}

serve({
  async open({ port, options }) {
    connection = rhea.create_container().connect({ host: '127.0.0.1', port, reconnect: false, ...options });
    session = connection;
    ended = once(connection, 'connection_error');
    await once(connection, 'connection_open', ['connection_error', 'disconnected']);
    return { container: connection.remote.open.container_id, idle: connection.remote.open.idle_time_out };
  },

  async session() {
    session = connection.create_session();
    session.begin();
    await once(session, 'session_open');
  },

  /** Sends a message for each of `bodies`, a text or a size; returns what became of each. */
  async send({ address, bodies, options }) {
    const sender = session.open_sender({ target: { address }, ...options });
    const outcomes = [];
    const sent = new Map();
    let next = 0;
    const done = new Promise((resolve) => {
      sender.on('sendable', () => {
        for (let { credit } = sender; credit > 0 && next < bodies.length; credit -= 1) { // it counts at the end of its turn
          const body = bodies[next];
          const delivery = sender.send({ body: typeof body === 'number' ? Buffer.alloc(body, 120) : body });
          sent.set(delivery.id, next);
          next += 1;
        }
        if (sender.snd_settle_mode === 1 && next === bodies.length) resolve();
      });
      for (const outcome of OUTCOMES) {
        sender.on(outcome, ({ delivery }) => {
          const error = delivery.remote_state && delivery.remote_state.error;
          outcomes[sent.get(delivery.id)] = error ? `${outcome} ${error.condition} ${error.description}` : outcome;
          if (outcomes.filter(Boolean).length === bodies.length) resolve();
        });
      }
    });
    await done;
    sender.close();
    await once(sender, 'sender_close');
    return outcomes;
  },

  /** Receives `count` messages and gives a verdict on each; returns their sizes and whether they came settled. */
  async receive({ address, count, verdict, options }) {
    const receiver = session.open_receiver({ source: { address }, autoaccept: false, autosettle: true, ...options });
    const got = [];
    await new Promise((resolve) => {
      receiver.on('message', ({ message, delivery }) => {
        const { body } = message;
        got.push([(body && body.content ? body.content : body).length, delivery.remote_settled]);
        VERDICTS[verdict](delivery); // also what came settled: only this gives its place in the window back
        if (got.length === count) resolve();
      });
    });
    receiver.close();
    await once(receiver, 'receiver_close');
    return got;
  },

  /** Grants `credit` and drains it; returns how many messages came before it was gone. */
  async drain({ address, credit }) {
    const receiver = session.open_receiver({ source: { address }, credit_window: 0 });
    let got = 0;
    receiver.on('message', () => { got += 1; });
    await once(receiver, 'receiver_open');
    receiver.drain = true;
    receiver.add_credit(credit);
    await once(receiver, 'receiver_drained');
    receiver.drain = false;
    receiver.close();
    await once(receiver, 'receiver_close');
    return got;
  },

  /** What a link is refused with; it must have looked attached before. */
  async refused({ address, sender }) {
    const link = sender ? session.open_sender(address) : session.open_receiver(address);
    const kind = sender ? 'sender' : 'receiver';
    let opened = false;
    link.once(`${kind}_open`, () => { opened = true; });
    await once(link, `${kind}_error`);
    const { condition, description } = link.error;
    return { opened, condition, description };
  },

  async end() {
    session.close();
    await once(session, 'session_close');
    session = connection;
  },

  async close() {
    connection.close();
    await once(connection, 'connection_close');
  },

  /** Waits until the server closes; returns why. */
  async closed() {
    await ended;
    const { error } = connection;
    return { condition: error.condition, description: error.description };
  },
});
