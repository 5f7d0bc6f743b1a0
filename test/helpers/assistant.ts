import type { Model } from "../../src/assistant/model.js";
import type { Config } from "../../src/config/config.js";
import { type RunningWorker, startWorker } from "../../src/program/assistant-worker.js";
import { scriptSources } from "../../src/program/platform.js";
import { readConfig } from "../../src/program/settings.js";
import type { RedisClient } from "../../src/redis/connect.js";
import { Scripts } from "../../src/redis/scripts.js";
import { cleanUp } from "./cleanup.js";
import { type Stream, TestClient } from "./client.js";
import { silent } from "./redis.js";

/** Starts a worker that takes over within two seconds and stops without patience. It ends with its test, or with the file. */
export async function ownWorker(redisUrl: string, model: Model, settings: Partial<Config> = {}): Promise<RunningWorker> {
  const defaults = readConfig(
    { redis: redisUrl, "bcrypt-cost": "4", "presence-grace": "0", "assistant-lease": "1", "assistant-patience": "0" },
    {},
  );
  const worker = await startWorker({ ...defaults, ...settings }, model, silent);
  cleanUp(() => worker.stop());
  return worker;
}

/** Returns the assistant's user id, once the server accepts questions for it. */
export async function assistantId(server: { url: string }): Promise<string> {
  const client = await TestClient.register(server);
  for (;;) {
    const { user } = await client.ask('{ user(username: "assistant") { id isAssistant } }');
    if (user?.isAssistant) return user.id;
  }
}

/** Registers a user, and opens their private room with the assistant. */
export async function withAssistant(server: { url: string }): Promise<{ client: TestClient; room: string; assistant: string }> {
  const assistant = await assistantId(server);
  const client = await TestClient.register(server, "asker");
  return { client, room: await openRoom(client, assistant), assistant };
}

export async function openRoom(client: TestClient, userId: string): Promise<string> {
  return (await client.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: userId })).openPrivateRoom.id;
}

/** Subscribes to the answers in a room. */
export function watchReply(client: TestClient, roomId: string): Stream {
  return client.subscribe("subscription ($roomId: ID!) { assistantReply(roomId: $roomId) { replyTo text delta state problem } }", {
    roomId,
  });
}

/** Waits for the event with this text or state. Fails if an event's text does not match its delta. */
export async function until(stream: Stream, wanted: { text?: string; state?: string }) {
  for (let text: string | undefined; ; ) {
    const event = await stream.next();
    if (text !== undefined && event.text !== text + event.delta && event.text !== event.delta)
      throw new Error(`${text} does not continue to ${event.text} with ${event.delta}`);
    text = event.text as string;
    if ((wanted.text ?? event.text) === event.text && (wanted.state ?? event.state) === event.state) return event;
  }
}

export const cancel = async (client: TestClient, roomId: string): Promise<boolean> =>
  (await client.ask("mutation ($roomId: ID!) { cancelReply(roomId: $roomId) }", { roomId })).cancelReply;

/** Returns the messages of a room: text, sender and the message that they reply to. */
export async function said(client: TestClient, roomId: string): Promise<{ text: string; by: string; to: string | null }[]> {
  const query = "query ($roomId: ID!) { messages(roomId: $roomId, last: 100) { nodes { text replyToId from { isAssistant } } } }";
  const { messages } = await client.ask(query, { roomId });
  return messages.nodes.map(({ text, replyToId, from }: { text: string; replyToId: string | null; from: { isAssistant: boolean } }) => ({
    text,
    by: from.isAssistant ? "assistant" : "person",
    to: replyToId,
  }));
}

/** Returns the assistant's answers in a room, once there are at least `count`. */
export async function answers(client: TestClient, roomId: string, count: number): Promise<string[]> {
  for (;;) {
    const texts = (await said(client, roomId)).filter(({ by }) => by === "assistant").map(({ text }) => text);
    if (texts.length >= count) return texts;
  }
}

/** Returns the messages whose questions wait in a room, or are being answered. */
export function waitingIn(redis: RedisClient, roomId: string): Promise<string[]> {
  const keys = {
    consumed: `consumed:{room:${roomId}}`,
    log: `log:{room:${roomId}}`,
    cancelled: `cancelled:{room:${roomId}}`,
    withdrawn: `withdrawn:{room:${roomId}}`,
  };
  return new Scripts(redis, scriptSources()).run("assistant_waiting", keys, { name: "assistant" });
}
