// Has Standard Webhooks' own library verify the add-on's recorded requests, at the time that they were sent.
import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';

const requests = readFileSync(process.argv[2], 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const now = Date.now;
for (const { secret, headers, body } of requests) {
  Date.now = () => Number(headers['webhook-timestamp']) * 1000;
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...given) { super(...(given.length > 0 ? given : [RealDate.now()])); }
  };
  const library = new Webhook(secret);
  library.verify(body, headers);
  let taken = true;
  try { library.verify(`${body} `, headers); } catch { taken = false; }
  if (taken) throw new Error(`a changed body is taken: ${headers['webhook-id']}`);
  globalThis.Date = RealDate;
  Date.now = now;
}
console.log(`verified by the npm package standardwebhooks: ${requests.length} requests`);
