// Speaks with a test: one JSON request a line on stdin, one JSON answer or event a line on stdout.
'use strict';

const readline = require('node:readline');

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Serve requests {id, action, arguments} with the functions in `actions`, until stdin ends. */
function serve(actions) {
  readline.createInterface({ input: process.stdin }).on('line', async (text) => {
    const request = JSON.parse(text);
    try {
      const result = await actions[request.action](request.arguments);
      tell({ id: request.id, result: result === undefined ? null : result });
    } catch (error) {
      tell({ id: request.id, error: { name: error.name, message: String(error.message), body: error.responseBody } });
    }
  }).on('close', () => process.exit(0));
}

module.exports = { serve, tell };
