import { expect, it, vi } from "vitest";
import { TestClient } from "../helpers/client.js";
import { recordedLog } from "../helpers/log.js";
import { ownSentinel } from "../helpers/sentinel.js";
import { ownServer } from "../helpers/server.js";

const RECOVERY = 10_000; // ms: the documented limit from the end of a fault until everything works again
const SEND = 'mutation ($text: String!, $id: ID!) { send(roomId: "0", text: $text, clientMessageId: $id) { id } }';

it.each(["failOver", "losePrimary"] as const)("[R2] recovers by itself after %s of a primary that Sentinels watch", async (fault) => {
  const sentinel = await ownSentinel();
  const { log, forOperator } = recordedLog();
  const [one, two] = [await ownServer(sentinel.url, { assistant: true }, log), await ownServer(sentinel.url)];
  const alice = await TestClient.register(one, "alice");
  const bob = await TestClient.register(two, "bob");
  const followed = bob.follow({ roomId: "0", after: [await bob.position()] });
  await alice.send("before");
  expect(await followed.texts(1)).toEqual(["before"]);

  await sentinel[fault]();
  await vi.waitFor(async () => expect((await alice.request(SEND, { text: "after", id: "after" })).errors).toBeUndefined(), {
    timeout: RECOVERY,
    interval: 50,
  });
  expect(await followed.texts(1)).toEqual(["after"]);
  for (const { url } of [one, two])
    await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), { timeout: RECOVERY });
  // If a fault lasts long enough to be logged, its end is logged as well.
  await vi.waitFor(() => expect(forOperator().length % 2).toBe(0), { timeout: RECOVERY });
});

it("[RUN6] refuses the address of a Sentinel itself, and names the right form", async () => {
  const { address } = await ownSentinel();
  await expect(ownServer(address, { redisWait: 0 })).rejects.toThrow(/is a Redis Sentinel.*redis-sentinel:\/\/host:port\/NAME/);
});

it("[RUN6] reports a name that the Sentinels do not know", async () => {
  const { url } = await ownSentinel();
  await expect(ownServer(url.replace("/chat", "/other"), { redisWait: 0 })).rejects.toThrow(
    /None of the Sentinels knows a primary of this name/,
  );
});
