import { describe, expect, it } from "vitest";
import { ModelFailure } from "../../src/assistant/model.js";
import { Trouble } from "../../src/assistant/trouble.js";
import { acquaint } from "../helpers/acquaint.js";
import {
  answers,
  assistantId,
  cancel,
  openRoom,
  ownWorker,
  said,
  until,
  waitingIn,
  watchReply,
  withAssistant,
} from "../helpers/assistant.js";
import { TestClient } from "../helpers/client.js";
import { watchCommands } from "../helpers/commands.js";
import { DemoApp } from "../helpers/demo-apps.js";
import { ownRedis } from "../helpers/redis.js";
import { ScriptedModel } from "../helpers/scripted-model.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const server = await ownServer(redis.url);
const other = await ownServer(redis.url);
const model = new ScriptedModel();
await ownWorker(redis.url, model);

const RETRY = "mutation ($m: ID!, $go: Boolean, $id: ID) { retryReply(messageId: $m, continue: $go, clientRetryId: $id) }";
const retry = async (client: TestClient, m: string, more: { go?: boolean; id?: string } = {}): Promise<boolean> =>
  (await client.ask(RETRY, { m, ...more })).retryReply;

/** The newest message of a room. */
async function newest(client: TestClient, roomId: string) {
  const query = "query ($r: ID!) { messages(roomId: $r, last: 1) { nodes { id text incomplete replyToId } } }";
  return (await client.ask(query, { r: roomId })).messages.nodes[0];
}

/** A user whose question got `text` as an incomplete answer before the model failed. */
async function withIncomplete(text = "Once") {
  const asker = await withAssistant(server);
  const replies = watchReply(asker.client, asker.room);
  const { id: question } = await asker.client.send("Tell me a story", asker.room);
  (await model.next()).say(text).fail(new ModelFailure("The connection broke."));
  await until(replies, { state: "INCOMPLETE" });
  return { ...asker, question, replies, answer: (await newest(asker.client, asker.room)).id as string };
}

describe("an incomplete answer", () => {
  it.each([
    ["the model fails", new ModelFailure("The connection broke."), "BROKEN_OFF"],
    ["it is too long", new ModelFailure("Too long.", "TOO_LONG"), "TOO_LONG"],
    ["a filter stops it", new ModelFailure("The assistant may not answer that.", "WITHHELD"), "WITHHELD"],
    ["an unexpected error occurs", new Error("secret key"), "BROKEN_OFF"],
  ])("[BOT20] is stored as a message marked incomplete, in the demo apps too: %s", async (_what, failure, reason) => {
    const { client, room } = await withAssistant(server);
    const [replies, events] = [
      watchReply(client, room),
      client.subscribe("subscription ($r: ID!) { messageAdded(roomId: $r) { text incomplete } }", { r: room }),
    ];
    await client.subscribe("{ me { id } }").next(); // both subscriptions run once this returns
    const { id } = await client.send("Tell me", room);
    (await model.next()).say("Once", " upon").fail(failure);
    const ended = await until(replies, { state: "INCOMPLETE" });
    expect(ended).toMatchObject({ replyTo: id, text: "Once upon …" });
    expect(ended.problem).toBe(failure instanceof ModelFailure ? failure.message : "Something went wrong with the assistant.");
    expect(await newest(client, room)).toMatchObject({ text: "Once upon …", incomplete: reason, replyToId: id });
    expect(await events.next()).toEqual({ text: "Tell me", incomplete: null });
    expect(await events.next()).toEqual({ text: "Once upon …", incomplete: reason });
    expect((await redis.client.zrange(`room:${room}`, "-1", "-1")).map((json) => JSON.parse(json).message)).toEqual(["Once upon …"]);
    expect(await waitingIn(redis.client, room)).toEqual([]);
    expect(await redis.client.xlen("dead:{assistant}")).toBe(0); // the operator has nothing to retry
  });

  it("[BOT20] is stored when it is cancelled, unmarked, and when it outgrows a message; blank text is not", async () => {
    const { client, room } = await withAssistant(server);
    const replies = watchReply(client, room);
    await client.send("Tell me", room);
    const asked = (await model.next()).say("Once");
    await until(replies, { text: "Once" });
    await cancel(client, room);
    await asked.aborted;
    await until(replies, { state: "CANCELLED" });
    expect(await newest(client, room)).toMatchObject({ text: "Once", incomplete: "CANCELLED" });

    await client.send("All of it", room);
    (await model.next()).say("x".repeat(4_001));
    expect((await until(replies, { state: "INCOMPLETE" })).problem).toBe(new Trouble("cut").message);
    expect(await newest(client, room)).toMatchObject({ text: `${"x".repeat(3_998)} …`, incomplete: "TOO_LONG" });

    await client.send("And then?", room);
    (await model.next()).say(" ").end();
    expect((await until(replies, { state: "FAILED" })).problem).toBe(new Trouble("empty").message);
  });

  it("[BOT20] restarts when its text was reasoning; a complete answer is not marked", async () => {
    const { client, room } = await withAssistant(server);
    const replies = watchReply(client, room);
    await client.send("Hello?", room);
    const asked = (await model.next()).say("They greet me.");
    await until(replies, { text: "They greet me." });
    asked.restart();
    expect(await until(replies, { text: "" })).toMatchObject({ state: "WRITING", delta: "" });
    asked.say("Hel", "lo").end();
    expect(await until(replies, { state: "DONE" })).toMatchObject({ text: "Hello" });
    expect(await newest(client, room)).toMatchObject({ text: "Hello", incomplete: null });
  });
});

describe("`retryReply`", () => {
  it("[BOT21] continues an incomplete answer where it ended, repeatedly, or answers from the beginning", async () => {
    const { client, room, question, answer } = await withIncomplete("Once");
    expect(await retry(client, answer, { go: true })).toBe(true);
    const second = await model.next();
    expect(second.turns).toEqual([
      { role: "user", text: "Tell me a story" },
      { role: "assistant", text: "Once" },
    ]);
    second.say(" upon").fail(new ModelFailure("Again."));
    await answers(client, room, 2);
    const more = await newest(client, room);
    expect(more).toMatchObject({ text: " upon …", incomplete: "BROKEN_OFF", replyToId: question });

    expect(await retry(client.on(other), more.id, { go: true })).toBe(true);
    const third = await model.next();
    expect(third.turns.at(-1)).toEqual({ role: "assistant", text: "Once upon" });
    third.say(" a time").end();
    await answers(client, room, 3);

    expect(await retry(client, answer)).toBe(true);
    const anew = await model.next();
    expect(anew.turns).toEqual([{ role: "user", text: "Tell me a story" }]);
    anew.say("There was").end();
    expect(await answers(client, room, 4)).toEqual(["Once …", " upon …", " a time", "There was"]);
    expect(await newest(client, room)).toMatchObject({ incomplete: null, replyToId: question });
  });

  it("[BOT21] retries a question that got no answer", async () => {
    const { client, room } = await withAssistant(server);
    const replies = watchReply(client, room);
    const { id } = await client.send("Well?", room);
    (await model.next()).fail(new ModelFailure("Away."));
    await until(replies, { state: "FAILED" });
    expect(await retry(client, id)).toBe(true);
    (await model.next()).say("Well").end();
    expect(await answers(client, room, 1)).toEqual(["Well"]);
    expect(await retry(client, id)).toBe(false);
  });

  it("[BOT21] is idempotent: one answer per `clientRetryId`, for any number of calls on any server", async () => {
    const { client, room, answer } = await withIncomplete();
    const calls = [client, client.on(other), client, client.on(other)].map((each) => retry(each, answer, { id: "once" }));
    expect(await Promise.all(calls)).toEqual([true, true, true, true]);
    const replies = watchReply(client, room);
    (await model.next()).fail(new ModelFailure("Away.")); // fails before the first word
    await until(replies, { state: "FAILED" });
    expect(await retry(client, answer, { id: "once" })).toBe(true);
    expect(await waitingIn(redis.client, room)).toEqual([]);
    expect(await retry(client, answer, { id: "twice" })).toBe(true);
    (await model.next()).say("Whole").end();
    expect(await answers(client, room, 2)).toEqual(["Once …", "Whole"]);
    expect(await retry(client, answer, { id: "thrice" })).toBe(false);
  });

  it("[BOT21] accepts only the asker, and only messages that can be retried", async () => {
    const { client, room, answer, question, assistant } = await withIncomplete();
    const stranger = await TestClient.register(server, "stranger");
    const codeOf = async (who: TestClient, variables: Record<string, unknown>) => (await who.refused(RETRY, variables)).extensions.code;
    expect(await codeOf(stranger, { m: answer })).toBe("NOT_A_MEMBER");
    expect(await codeOf(client, { m: "nonsense" })).toBe("BAD_USER_INPUT");
    expect(await codeOf(client, { m: question, go: true })).toBe("BAD_USER_INPUT");
    expect(await codeOf(client, { m: answer, id: "" })).toBe("BAD_USER_INPUT");
    const { id: said } = await client.send("nobody is asked here");
    expect(await codeOf(client, { m: said })).toBe("BAD_USER_INPUT");
    expect(await codeOf(stranger, { m: said })).toBe("FORBIDDEN");

    await acquaint(client, stranger);
    const { createRoom } = await client.ask('mutation ($m: [ID!]!) { createRoom(name: "Us", memberIds: $m) { id } }', {
      m: [assistant, stranger.id],
    });
    await client.send("@assistant?", createRoom.id);
    (await model.next()).say("Hm").fail(new ModelFailure("Away."));
    await answers(client, createRoom.id, 1);
    const { id: inGroup } = await newest(client, createRoom.id);
    expect(await codeOf(stranger, { m: inGroup })).toBe("FORBIDDEN");

    await client.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: question });
    expect(await client.refused(RETRY, { m: answer })).toMatchObject({
      message: expect.stringMatching(/was deleted/),
      extensions: { code: "NOT_FOUND" },
    });
    await client.send("Whole?", room);
    (await model.next()).say("Yes").end();
    await answers(client, room, 2);
    expect(await codeOf(client, { m: (await newest(client, room)).id })).toBe("BAD_USER_INPUT");

    const strict = client.on(await ownServer(redis.url, { rateLimits: true, questionsPerMinute: 1 }));
    expect(await retry(strict, inGroup)).toBe(true);
    (await model.next()).say("Yes").end();
    expect(await codeOf(strict, { m: inGroup })).toBe("RATE_LIMITED");
  });
});

describe("the current wording", () => {
  const edit = (client: TestClient, id: string, text: string) =>
    client.ask("mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { id } }", { id, t: text });

  it("[BOT22] of a question is used until the answer's first word, for a limited number of edits", async () => {
    const { client, room } = await withAssistant(server);
    const replies = watchReply(client, room);
    const { id } = await client.send("one", room);
    let asked = await model.next();
    for (const text of ["two", "three", "four"]) {
      await edit(client, id, text);
      await asked.aborted;
      asked = await model.next();
      expect(asked.question).toBe(text);
    }
    await edit(client, id, "five"); // over the limit: each edit costs a request
    asked.say("4");
    await until(replies, { text: "4" });
    await edit(client, id, "six");
    asked.say("!").end();
    expect(await until(replies, { state: "DONE" })).toMatchObject({ text: "4!" });
    expect(await answers(client, room, 1)).toEqual(["4!"]);
  });

  it("[BOT22] omits deleted and wordlessly cancelled questions from the context until they are retried", async () => {
    const { client, room } = await withAssistant(server);
    const replies = watchReply(client, room);
    const { id: gone } = await client.send("to be deleted", room);
    (await model.next()).say("an answer to it").end();
    await answers(client, room, 1);
    const { id: silent } = await client.send("cancelled in silence", room);
    const asked = await model.next();
    await client.send("cancelled while it waits", room);
    await cancel(client, room);
    await asked.aborted;
    await until(replies, { state: "CANCELLED" });
    await client.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: gone });
    await client.send("next", room);
    const next = await model.next();
    expect(next.turns).toEqual([{ role: "user", text: "next" }]);
    next.say("yes").end();
    await answers(client, room, 2);
    expect(await retry(client, silent)).toBe(true);
    (await model.next()).say("late").end();
    await answers(client, room, 3);
    await client.send("and", room);
    const last = await model.next();
    expect(last.turns.map(({ text }) => text)).toEqual(["cancelled in silence", "next", "yes", "late", "and"]);
    last.end();
  });
});

describe("the assistant answers", () => {
  it("[BOT23] a reply to its message, in rooms of which it is a member", async () => {
    const { client, assistant } = await withAssistant(server);
    const { createRoom } = await client.ask('mutation ($m: [ID!]!) { createRoom(name: "Us", memberIds: $m) { id } }', { m: [assistant] });
    const reply = async (to: string, text: string) =>
      client.ask("mutation ($r: ID!, $to: ID!, $t: String!) { send(roomId: $r, text: $t, replyTo: $to) { id } }", {
        r: createRoom.id,
        to,
        t: text,
      });
    const { id } = await client.send("@assistant hello", createRoom.id);
    (await model.next()).say("Hello").end();
    await answers(client, createRoom.id, 1);
    const { id: answer } = await newest(client, createRoom.id);
    await reply(id, "to myself");
    await reply(answer, "to you");
    const asked = await model.next();
    expect(asked.turns.map(({ text }) => text)).toEqual(
      ["@assistant hello", "Hello", "to myself\nto you"].flatMap((text) => text.split("\n")),
    );
    asked.say("Yes?").end();
    await answers(client, createRoom.id, 2);
    await client.ask("mutation ($r: ID!, $u: ID!) { removeMember(roomId: $r, userId: $u) { id } }", { r: createRoom.id, u: assistant });
    await reply(answer, "to somebody gone");
    expect(await waitingIn(redis.client, createRoom.id)).toEqual([]);
  });

  it("[BOT23] an edit that adds a mention of it, once", async () => {
    const { client, assistant } = await withAssistant(server);
    const { createRoom } = await client.ask('mutation ($m: [ID!]!) { createRoom(name: "Us", memberIds: $m) { id } }', { m: [assistant] });
    const { id } = await client.send("what time is it?", createRoom.id);
    const edit = (text: string) =>
      client.ask("mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { id } }", { id, t: text });
    await edit("@assistant what time is it?");
    const asked = await model.next();
    expect(asked.question).toBe("@assistant what time is it?");
    asked.say("Late").end();
    await answers(client, createRoom.id, 1);
    await edit("@assistant what time is it now?");
    await client.send("@assistant and?", createRoom.id);
    const next = await model.next();
    expect(next.question).toBe("@assistant and?");
    next.say("Later").end();
    expect(await answers(client, createRoom.id, 2)).toEqual(["Late", "Later"]);

    const strict = client.on(await ownServer(redis.url, { rateLimits: true, questionsPerMinute: 1 }));
    await strict.send("@assistant one", createRoom.id);
    (await model.next()).say("1").end();
    const two = await strict.send("two", createRoom.id);
    const mention = { id: two.id, t: "@assistant two" };
    const refused = await strict.refused("mutation ($id: ID!, $t: String!) { editMessage(id: $id, text: $t) { id } }", mention);
    expect(refused.extensions.code).toBe("RATE_LIMITED");
  });

  it("[BOT23] a demo app user's mention once, in General too, even if several servers hear it", async () => {
    await assistantId(server);
    const client = await TestClient.register(server, "node");
    const app = new DemoApp("Node", redis.client);
    await app.say({ id: client.id, username: client.username }, "@assistant who are you?");
    const asked = await model.next();
    expect(asked.question).toBe("@assistant who are you?");
    asked.say("I am here").end();
    await expect.poll(async () => (await said(client, "0")).filter(({ text }) => text === "I am here")).toHaveLength(1);
    const [answer] = (await said(client, "0")).slice(-1);
    expect(answer).toMatchObject({ by: "assistant", to: expect.stringMatching(/^0\//) });
  });

  it("[BOT23] a demo app user's message from while no server ran, once a server starts", async () => {
    const own = await ownRedis();
    const first = await ownServer(own.url);
    const waiting = new ScriptedModel();
    const worker = await ownWorker(own.url, waiting);
    const { client, room } = await withAssistant(first);
    await worker.stop();
    await first.stop();
    const app = new DemoApp("Node", own.client);
    await app.say({ id: client.id, username: client.username }, "from afar", { roomId: room });
    await ownWorker(own.url, waiting);
    const second = await ownServer(own.url, { interop: "off" }); // not on the demo apps' channel; reading the room finds the message
    expect((await said(client.on(second), room)).map(({ text }) => text)).toEqual(["from afar"]);
    expect((await waiting.next()).question).toBe("from afar");
  });

  it("[BOT24] nothing when it does not exist: a send, a reply and an edit cost one script each", async () => {
    const own = await ownRedis();
    const without = await ownServer(own.url);
    const [ann, ben] = [await TestClient.register(without, "ann"), await TestClient.register(without, "ben")];
    const room = await openRoom(ann, ben.id);
    const { id } = await ann.send("first", room);
    await ann.ask('mutation ($id: ID!) { editMessage(id: $id, text: "second") { id } }', { id }); // so that Redis knows the scripts
    const commands = await watchCommands(own.client);
    const calls = async (act: () => Promise<unknown>) => {
      await commands.all();
      const from = commands.seen.length;
      await act();
      await commands.all();
      const about = commands.seen.slice(from).filter(({ inScript, args }) => !inScript && args.some((arg) => arg.includes(`room:${room}`)));
      return about.map(({ name, args }) => (name === "evalsha" ? args[2] : name)).sort();
    };
    const cost = [`room:${room}`]; // one script
    expect(await calls(() => ann.send("plain", room))).toEqual(cost);
    const reply = 'mutation ($r: ID!, $id: ID!) { send(roomId: $r, text: "re", replyTo: $id) { id } }';
    expect(await calls(() => ann.ask(reply, { r: room, id }))).toEqual(cost);
    const edit = 'mutation ($id: ID!) { editMessage(id: $id, text: "@assistant other") { id } }';
    expect(await calls(() => ann.ask(edit, { id }))).toEqual(cost);
  });
});
