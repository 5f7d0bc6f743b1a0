import calculateSlot from "cluster-key-slot";
import { describe, expect, it } from "vitest";
import { ModelFailure } from "../../src/assistant/model.js";
import { withDeadLetters } from "../../src/program/assistant-worker.js";
import { scriptSources } from "../../src/program/platform.js";
import { readConfig } from "../../src/program/settings.js";
import type { ScriptName } from "../../src/redis/scripts.js";
import { answers, ownWorker, until, watchReply, withAssistant } from "../helpers/assistant.js";
import { TestClient } from "../helpers/client.js";
import { watchCommands } from "../helpers/commands.js";
import { DemoApp } from "../helpers/demo-apps.js";
import { ownRedis } from "../helpers/redis.js";
import { ScriptedModel } from "../helpers/scripted-model.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const sources = scriptSources();

/** Runs three guests: one becomes an account at the second attempt, one fails to, and one leaves and is deleted. */
async function guestsComeAndGo(server: { url: string }): Promise<void> {
  const { client } = redis;
  const join = async () => {
    const { joinAsGuest } = await new TestClient(server.url).ask('mutation { joinAsGuest(name: "Gus") { token user { id } } }');
    return new TestClient(server.url, joinAsGuest.token, joinAsGuest.user.id);
  };
  const register = 'mutation ($u: String!) { register(username: $u, password: "a good password") { token } }';
  const [lucky, unlucky, leaving] = [await join(), await join(), await join()];
  const cutOff = JSON.stringify({ username: "gus-1", attempt: "x", deadline: 1 });
  await client.hset(`user:${lucky.id}`, { claim: cutOff, password: "x" });
  await client.hset(`user:${unlucky.id}`, { claim: cutOff, password: "x", until: 1 });
  await lucky.ask(register, { u: "gus-2" });
  for (const { id, ask } of [unlucky, leaving].map((guest) => ({ id: guest.id, ask: guest.ask.bind(guest) }))) {
    await ask("mutation { logout }");
    await client.hset(`user:${id}`, "until", 1);
    await expect
      .poll(
        async () => {
          await client.zadd("guests:{total_users}", "XX", 0, id);
          return client.zscore("guests:{total_users}", id);
        },
        { timeout: 60_000 },
      )
      .toBeNull();
  }
}

describe("scripts", () => {
  it("[LUA4] have all keys of a real call in one slot of a cluster", async () => {
    const shas = new Map<string, ScriptName>();
    for (const [name, source] of sources) shas.set((await redis.client.script("LOAD", source)) as string, name);
    const commands = await watchCommands(redis.client);
    /** The scripts called so far, each with the keys of its calls. */
    const seen = () => {
      const calls = new Map<ScriptName, string[][]>();
      for (const {
        name: command,
        args: [sha = "", count, ...rest],
      } of commands.seen) {
        const name = command === "evalsha" && shas.get(sha);
        if (name) calls.set(name, [...(calls.get(name) ?? []), rest.slice(0, Number(count))]);
      }
      return calls;
    };

    await redis.client.zadd("room:silent", 1, '{"from":"1","message":"very old"}');
    const server = await ownServer(redis.url, { demoData: true, rateLimits: true, historyDays: 30 });
    const [ann, ben] = [await TestClient.register(server, "ann"), await TestClient.register(server, "ben")];
    const { openPrivateRoom: room } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id });
    const followed = ben.follow({ after: [await ann.position(room.id)] });
    await ann.send("hello", room.id, "once");
    await ann.send("hello, all");
    await followed.texts(1);
    await new DemoApp("Node", redis.client).say({ id: ann.id, username: ann.username }, `hello @${ben.username}`);
    await ben.ask("mutation ($id: ID!) { markRead(messageId: $id) { unreadCount } }", { id: (await ann.send("read me", room.id)).id });
    const { id } = await ann.send("to be changed", room.id);
    await ann.ask('mutation ($id: ID!) { react(messageId: $id, emoji: "👍") { id } editMessage(id: $id, text: "changed") { id } }', { id });
    await ann.ask("mutation ($id: ID!) { pinMessage(messageId: $id) { id } }", { id });
    await ann.ask("query ($r: ID!, $id: ID!) { messages(roomId: $r, around: $id) { position nodes { position } } }", { r: room.id, id });
    await ann.ask('mutation ($r: ID!, $id: ID!) { send(roomId: $r, text: "re", replyTo: $id) { replyTo { id } } deleteMessage(id: $id) }', {
      r: room.id,
      id,
    });
    await redis.client.publish("MESSAGES", JSON.stringify({ type: "message", data: { roomId: "0", from: ann.id } })); // as a demo app
    const { createRoom } = await ann.ask('mutation { createRoom(name: "Us") { id } }');
    const ids = { r: createRoom.id, u: ben.id };
    const cid = await TestClient.register(server, "cid");
    await ann.ask(
      "mutation ($r: ID!, $c: ID!, $u: ID!) { invite: addMember(roomId: $r, userId: $c) { id } add: addMember(roomId: $r, userId: $u) { id } }",
      { ...ids, c: cid.id },
    );
    await cid.ask("{ invitations { nodes { roomId } } }");
    await cid.ask(
      "mutation ($r: ID!, $a: ID!) { acceptInvitation(roomId: $r) { id } declineInvitation(roomId: $r) block(userId: $a) { id } }",
      {
        r: ids.r,
        a: ann.id,
      },
    );
    await ann.ask('mutation ($r: ID!) { renameRoom(roomId: $r, name: "We") { id } }', { r: ids.r });
    await ann.ask("mutation ($r: ID!, $u: ID!) { removeMember(roomId: $r, userId: $u) { id } }", ids);
    const model = new ScriptedModel();
    const worker = await ownWorker(redis.url, model);
    const asker = await withAssistant(server);
    const replies = watchReply(asker.client, asker.room);
    await asker.client.send("fail", asker.room);
    (await model.next()).fail(new ModelFailure("No."));
    await until(replies, { state: "FAILED" });
    await asker.client.ask("mutation ($r: ID!) { cancelReply(roomId: $r) }", { r: asker.room });
    await withDeadLetters(readConfig({ redis: redis.url }, {}), (letters) => letters.again("all"));
    (await model.next()).say("answer").end();
    await answers(asker.client, asker.room, 1);
    await asker.client.send("release", asker.room);
    await model.next();
    await expect.poll(() => seen().has("hint_take_over")).toBe(true); // now and then
    await worker.stop();
    await redis.client.xtrim(`log:{room:${asker.room}}`, "MAXLEN", 0); // the next worker finds the question in the history
    const next = await ownWorker(redis.url, model);
    (await model.next()).say("late").end();
    await answers(asker.client, asker.room, 2);
    await next.stop();
    await ben.disconnect();
    const { refreshSession } = await ann.ask("mutation { refreshSession { token } }");
    const refreshed = new TestClient(server.url, refreshSession.token);
    await refreshed.ask('mutation { changePassword(current: "a good password", new: "another password") }');
    await refreshed.ask("{ sessions { id } }");
    const logIn = 'mutation ($u: String!) { login(username: $u, password: "another password") { id } }';
    await refreshed.on(await ownServer(redis.url, { bcryptCost: 5 })).ask(logIn, { u: ann.username });
    await refreshed.ask('{ users(search: "ann") { nodes { id } } }');
    await refreshed.ask("mutation { logout }");
    await guestsComeAndGo(server);
    await expect.poll(() => [...seen().keys()].sort()).toEqual([...sources.keys()].sort());

    for (const [name, calls] of seen()) {
      for (const keys of calls) expect(new Set(keys.map((key) => calculateSlot(key))).size, `${name} ${keys.join(" ")}`).toBe(1);
    }
  });
});
