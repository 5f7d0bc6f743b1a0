/** A model that is always available. It answers with the maximum number of words at an even pace; the first word is its send time. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

const PACE = 30; // ms between words, about the speed of a hosted model

const chunk = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

const server = createServer(async (request, response) => {
  const { max_tokens: words } = (await json(request)) as { max_tokens: number };
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(chunk(`${performance.timeOrigin + performance.now()} `));
  for (let word = 1; word < words && !response.destroyed; word++) {
    await delay(PACE);
    response.write(chunk("words "));
  }
  response.end(`${chunk("", "stop")}data: [DONE]\n\n`);
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`);
