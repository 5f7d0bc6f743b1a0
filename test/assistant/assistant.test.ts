import { describe, expect, it } from "vitest";
import { ModelFailure } from "../../src/assistant/model.js";
import { acquaint } from "../helpers/acquaint.js";
import { answers, assistantId, cancel, openRoom, ownWorker, said, until, watchReply, withAssistant } from "../helpers/assistant.js";
import { TestClient } from "../helpers/client.js";
import { DemoApp } from "../helpers/demo-apps.js";
import { BUSY } from "../helpers/eventually.js";
import { ownRedis } from "../helpers/redis.js";
import { ScriptedModel } from "../helpers/scripted-model.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const one = await ownServer(redis.url);
const two = await ownServer(redis.url);
const model = new ScriptedModel();
await ownWorker(redis.url, model);

describe("the assistant", () => {
  it("[BOT1] streams its answer in its private room, then stores it as a reply to the question", async () => {
    const { client, room } = await withAssistant(one);
    const replies = watchReply(client, room);
    const { id } = await client.send("How are you?", room);
    const asked = await model.next();
    expect(asked.turns).toEqual([{ role: "user", text: "How are you?" }]);
    asked.say("Fine");
    expect(await until(replies, { text: "Fine" })).toMatchObject({ replyTo: id, state: "WRITING", problem: null });
    asked.say(", ", "thanks").end();
    expect(await until(replies, { state: "DONE" })).toMatchObject({ replyTo: id, text: "Fine, thanks" });
    expect(await said(client, room)).toEqual([
      { text: "How are you?", by: "person", to: null },
      { text: "Fine, thanks", by: "assistant", to: id },
    ]);
    await client.send("And now?", room);
    const next = await model.next();
    expect(next.turns).toEqual([
      { role: "user", text: "How are you?" },
      { role: "assistant", text: "Fine, thanks" },
      { role: "user", text: "And now?" },
    ]);
    next.say("Better").end();
    await until(replies, { state: "DONE", text: "Better" });
  });

  it("[BOT2] sends late and reconnecting subscribers the text so far, then the rest, on any server", async () => {
    const { client, room } = await withAssistant(one);
    const first = watchReply(client, room);
    await client.send("Tell me", room);
    const asked = (await model.next()).say("Once");
    await until(first, { text: "Once" });
    const late = watchReply(client.on(two), room);
    expect(await late.next()).toMatchObject({ text: "Once", delta: "Once", state: "WRITING" });
    await client.disconnect();
    asked.say(" upon");
    expect(await until(late, { text: "Once upon" })).toMatchObject({ delta: " upon" });
    const again = watchReply(client.on(one), room);
    expect(await again.next()).toMatchObject({ text: "Once upon", state: "WRITING" });
    await redis.client.call("CLIENT", "KILL", "TYPE", "pubsub");
    asked.say(" a time").end();
    await until(late, { text: "Once upon a time", state: "DONE" });
    await until(again, { text: "Once upon a time", state: "DONE" });
    expect(await watchReply(client.on(two), room).next()).toMatchObject({ text: "Once upon a time", state: "DONE" });
  });

  it("[BOT3] answers a room's questions in order, and several rooms in parallel", async () => {
    const { client, room } = await withAssistant(one);
    const other = await withAssistant(two);
    await client.send("first", room);
    const first = await model.next();
    await client.send("second", room);
    await client.send("third", room);
    await other.client.send("elsewhere", other.room);
    const elsewhere = await model.next();
    expect([first.question, elsewhere.question]).toEqual(["first", "elsewhere"]);
    elsewhere.say("there").end();
    await answers(other.client, other.room, 1);
    first.say("1").end();
    const second = await model.next();
    expect(second.turns.map(({ text }) => text)).toEqual(["first", "1", "second"]); // the third is not among them yet
    second.say("2").end();
    const third = await model.next();
    expect(third.turns.map(({ text }) => text)).toEqual(["first", "second", "1", "2", "third"]);
    third.say("3").end();
    expect(await answers(client, room, 3)).toEqual(["1", "2", "3"]);
  });

  it("[BOT4] stops when the asker cancels, on any device and server, and keeps what it wrote", async () => {
    const { client, room } = await withAssistant(one);
    const replies = watchReply(client, room);
    const { id } = await client.send("A long story", room);
    await client.send("And another", room);
    const asked = (await model.next()).say("It was");
    await until(replies, { text: "It was" });
    const begun = performance.now();
    expect(await cancel(client.on(two), room)).toBe(true);
    await asked.aborted;
    expect(performance.now() - begun).toBeLessThan(1_000 * BUSY);
    expect(await until(replies, { state: "CANCELLED" })).toMatchObject({ replyTo: id, text: "It was" });
    expect(await answers(client, room, 1)).toEqual(["It was"]);

    await client.send("Hm", room);
    const silent = await model.next();
    expect(silent.question).toBe("Hm"); // the other question was withdrawn
    await cancel(client, room);
    await silent.aborted;
    await until(replies, { state: "CANCELLED", text: "" });
    expect(await cancel(client, room)).toBe(false);
    expect((await said(client, room)).map(({ text }) => text)).toEqual(["A long story", "And another", "It was", "Hm"]);
  });

  it("[BOT5] answers mentions in General and its groups, guests' too; only the asker can cancel", async () => {
    const assistant = await assistantId(one);
    const [ann, ben] = [await TestClient.register(one, "ann"), await TestClient.register(two, "ben")];
    await acquaint(ann, ben);
    const { createRoom } = await ann.ask('mutation ($m: [ID!]!) { createRoom(name: "Us", memberIds: $m) { id } }', {
      m: [assistant, ben.id],
    });
    await ann.send("nobody is asked here", createRoom.id);
    await ben.send("@assistant, what do you think?", createRoom.id);
    const asked = await model.next();
    expect(asked.turns.map(({ name, text }) => [name, text])).toEqual([
      [ann.username, "nobody is asked here"],
      [ben.username, "@assistant, what do you think?"],
    ]);
    asked.say("Well");
    expect(await cancel(ann, createRoom.id)).toBe(false);
    asked.end();
    expect(await answers(ann, createRoom.id, 1)).toEqual(["Well"]);

    const { joinAsGuest } = await new TestClient(one.url).ask('mutation { joinAsGuest(name: "Gus") { token user { id } } }');
    const guest = new TestClient(one.url, joinAsGuest.token, joinAsGuest.user.id);
    await guest.send("@assistant who is here?");
    const inGeneral = await model.next();
    expect(inGeneral.turns.at(-1)).toMatchObject({ name: "Gus", text: "@assistant who is here?" });
    inGeneral.say("@assistant is").end(); // its own mention is not a question
    await answers(guest, "0", 1);
    const room = await openRoom(guest, assistant);
    await guest.send("hello", room);
    const next = await model.next();
    expect(next.question).toBe("hello");
    next.say("hi").end();
    await answers(guest, room, 1);
  });

  it("[BOT6] reports a failure in a sentence, and stores the question as a dead letter", async () => {
    const { client, room } = await withAssistant(one);
    const replies = watchReply(client, room);
    await client.send("Fail", room);
    (await model.next()).fail(new ModelFailure("The model is away."));
    expect(await until(replies, { state: "FAILED" })).toMatchObject({ problem: "The model is away." });
    await client.send("Break", room);
    (await model.next()).fail(new Error("secret key"));
    expect((await until(replies, { state: "FAILED", text: "" })).problem).toBe("Something went wrong with the assistant.");
    expect(await redis.client.xlen("dead:{assistant}")).toBe(2);
    expect((await said(client, room)).map(({ by }) => by)).toEqual(["person", "person"]);
    const metrics = async () => (await fetch(`${one.url}/metrics`)).text();
    await expect.poll(metrics).toMatch(/^palaver_assistant_replies_total\{state="FAILED"\} 2$/m);
  });

  it("[BOT7] answers a demo app user's message in their private room", async () => {
    const { client, room } = await withAssistant(one);
    const app = new DemoApp("Node", redis.client);
    await app.say({ id: client.id, username: client.username }, "from afar", { roomId: room });
    const asked = await model.next();
    expect(asked.question).toBe("from afar");
    asked.say("from here").end();
    await answers(client, room, 1);
    const [question, answer] = (await client.ask("query ($r: ID!) { messages(roomId: $r) { nodes { id replyToId } } }", { r: room }))
      .messages.nodes;
    expect(answer.replyToId).toBe(question.id);
  });

  it("[BOT8] reads a question when its turn comes; skips deleted ones and those of askers who left", async () => {
    const { client, room, assistant } = await withAssistant(one);
    const { id: first } = await client.send("busy", room);
    const busy = await model.next();
    const { id: edited } = await client.send("before", room);
    const { id: gone } = await client.send("gone", room);
    await client.ask('mutation ($id: ID!, $gone: ID!) { editMessage(id: $id, text: "after") { id } deleteMessage(id: $gone) }', {
      id: edited,
      gone,
    });
    await client.ask("mutation ($id: ID!) { deleteMessage(id: $id) }", { id: first });
    busy.say("too late").end();
    const after = await model.next();
    expect(after.question).toBe("after");
    after.say("yes").end();
    await answers(client, room, 1);

    const ann = await TestClient.register(one, "ann");
    await acquaint(ann, client);
    const { createRoom } = await ann.ask('mutation ($m: [ID!]!) { createRoom(name: "Us", memberIds: $m) { id } }', {
      m: [assistant, client.id],
    });
    await ann.send("@assistant one", createRoom.id);
    const inGroup = await model.next();
    await client.send("@assistant two", createRoom.id);
    await client.ask("mutation ($r: ID!) { leaveRoom(roomId: $r) }", { r: createRoom.id });
    await ann.send("@assistant three", createRoom.id);
    inGroup.say("1").end();
    const last = await model.next();
    expect(last.question).toBe("@assistant three");
    last.say("3").end();
    expect(await answers(ann, createRoom.id, 2)).toEqual(["1", "3"]);
    expect(await answers(client, room, 1)).toEqual(["yes"]);
  });

  it("[BOT9] cuts an answer at the message length limit, and marks the cut", async () => {
    const { client, room } = await withAssistant(one);
    await client.send("All of it", room);
    const asked = (await model.next()).say("🙂".repeat(3_999), "🙂🙂", "more");
    await asked.aborted;
    const [answer = ""] = await answers(client, room, 1);
    expect([...answer]).toHaveLength(4_000);
    expect(answer).toMatch(/🙂 …$/u);
  });

  it("[BOT10] limits questions per user and minute, per room, and in total", async () => {
    const { client, room } = await withAssistant(one);
    const strict = await ownServer(redis.url, { rateLimits: true, questionsPerMinute: 3 });
    const ask = "mutation ($r: ID!, $t: String!) { send(roomId: $r, text: $t) { id } }";
    const there = client.on(strict);
    for (const text of ["1", "2", "3"]) await there.ask(ask, { r: room, t: text });
    expect(await there.refused(ask, { r: room, t: "4" })).toMatchObject({
      extensions: { code: "RATE_LIMITED", retryAfter: expect.any(Number) },
    });
    expect((await there.refused(ask, { r: room, t: "4" })).message).toMatch(/^Too many requests/);
    const first = await model.next();
    for (let n = 4; n <= 10; n++) await client.send(String(n), room);
    expect((await client.refused(ask, { r: room, t: "11" })).message).toMatch(/questions wait for the assistant in this room/);

    const other = await withAssistant(one);
    const small = await ownServer(redis.url, { assistantQueue: 1 });
    expect((await other.client.on(small).refused(ask, { r: other.room, t: "x" })).message).toMatch(/The assistant is busy/);
    await there.ask(ask, { r: "0", t: "a message without a question passes" });
    await cancel(client, room);
    await first.aborted;
  });
});
