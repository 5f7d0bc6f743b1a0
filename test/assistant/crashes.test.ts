import { describe, expect, it } from "vitest";
import { scriptSources } from "../../src/program/platform.js";
import { Scripts } from "../../src/redis/scripts.js";
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
import { ownCluster } from "../helpers/cluster.js";
import { chunk, event, modelEndpoint, sendParts } from "../helpers/model-endpoint.js";
import { emptyFolder, launch, type Program, WORKER } from "../helpers/program.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { echo, ScriptedModel } from "../helpers/scripted-model.js";
import { ownServer } from "../helpers/server.js";

/** A separate Redis with a server, and a user in a room with the assistant. */
async function ownPalaver() {
  const redis = await ownRedis();
  const server = await ownServer(redis.url);
  await (await ownWorker(redis.url, echo)).stop(); // creates the account
  return { redis, server, ...(await withAssistant(server)) };
}

/** Resolves when no request is left, whether pending or undelivered. */
async function allSeenTo(redis: { client: { xlen(key: string): Promise<number> } }): Promise<void> {
  while ((await redis.client.xlen("hints:{assistant}")) > 0);
}

/** A worker in a separate process, with a model endpoint that the test controls. */
async function workerProcess(redisUrl: string, modelUrl: string): Promise<Program> {
  const worker = launch({
    file: WORKER,
    cwd: await emptyFolder(),
    args: ["--redis", redisUrl, "--assistant-url", modelUrl, "--assistant-model", "test", "--assistant-lease", "1"],
  });
  await worker.ready();
  return worker;
}

describe("crashes of the assistant", () => {
  const LANES = 4;
  const STEP = 200; // bytes

  it("[BOT11] answers each question once, wherever a worker dies", async () => {
    const lanes = await Promise.all(Array.from({ length: LANES }, ownPalaver));
    const cutShort = await Promise.all(lanes.map((palaver, lane) => dieAtEach(palaver, 10 + lane * STEP)));
    expect(cutShort.flat().length).toBeGreaterThan(LANES * 2);
  });

  it("[BOT11] does not give up a question because of Redis outages, however many occur", async () => {
    const { redis, client, room } = await ownPalaver();
    const proxy = await proxyTo(redis.url);
    const model = new ScriptedModel();
    const worker = await ownWorker(proxy.url, model, { assistantLease: 1 });
    await client.send("are you there?", room);
    for (let outage = 0; outage < 5; outage++) {
      const asked = await model.next();
      asked.say(`attempt ${outage}`);
      proxy.goAway();
      await asked.aborted;
      proxy.comeBack();
    }
    (await model.next()).say("yes").end();
    expect((await answers(client, room, 1)).at(-1)).toBe("yes");
    expect(await redis.client.xlen("dead:{assistant}")).toBe(0);
    await worker.stop();
    await proxy.stop();
  });

  /** Lets workers die after a growing number of bytes to Redis until one finishes; returns the byte counts at which workers died. */
  async function dieAtEach({ redis, client, room }: Awaited<ReturnType<typeof ownPalaver>>, first: number): Promise<number[]> {
    const died: number[] = [];
    for (let bytes = first, count = 0; ; bytes += LANES * STEP) {
      const proxy = await proxyTo(redis.url);
      const dying = await ownWorker(proxy.url, echo);
      await client.send("warm up", room); // loads the scripts into Redis
      await answers(client, room, ++count);
      await allSeenTo(redis);
      proxy.goAwayAfter(bytes);
      await client.send(`die after ${bytes}`, room);
      const other = await ownWorker(redis.url, echo);
      expect((await answers(client, room, ++count)).at(-1)).toBe(`You said: die after ${bytes}`);
      await allSeenTo(redis);
      expect(await answers(client, room, count)).toHaveLength(count);
      expect(await waitingIn(redis.client, room)).toEqual([]);
      const isGone = proxy.isGone();
      await proxy.stop();
      await Promise.all([dying.stop(), other.stop()]);
      if (!isGone) return died;
      died.push(bytes);
    }
  }

  it.each([
    ["Redis", async () => (await ownRedis()).url],
    ["Redis Cluster", async () => (await ownCluster()).urls.join(",")],
  ])("[BOT12] restarts an answer on another worker when a worker is killed while writing it: %s", async (_, start) => {
    const url = await start();
    const server = await ownServer(url);
    await (await ownWorker(url, echo)).stop(); // creates the account
    const { client, room } = await withAssistant(server);
    const stuck = await modelEndpoint((response) => sendParts(response, [event(chunk("I will never"))]));
    const killed = await workerProcess(url, stuck.url);
    const replies = watchReply(client, room);
    await client.send("Well?", room);
    await until(replies, { text: "I will never" });
    killed.kill("SIGKILL");
    await killed.end();
    await ownWorker(url, echo);
    expect(await until(replies, { state: "DONE" })).toMatchObject({ text: "You said: Well?" });
    expect(await answers(client, room, 1)).toEqual(["You said: Well?"]);
  });

  it("[BOT19] answers a question once if it was stored, wherever the server dies while taking it", async () => {
    const { redis, client, room } = await ownPalaver();
    await ownWorker(redis.url, echo);
    const stored: boolean[] = [];
    for (let bytes = 10; ; bytes += STEP) {
      const proxy = await proxyTo(redis.url);
      const dying = await ownServer(proxy.url);
      await client.on(dying).send("warm up", room); // so that the server knows the assistant's account
      proxy.goAwayAfter(bytes);
      const isAnswered = await client
        .on(dying)
        .send(`die after ${bytes}`, room)
        .then(
          () => true,
          () => false,
        );
      const questions = (await said(client, room)).filter(({ by }) => by === "person").map(({ text }) => text);
      const isStored = questions.includes(`die after ${bytes}`);
      expect(isStored || !isAnswered).toBe(true);
      stored.push(isStored);
      await answers(client, room, questions.length);
      await allSeenTo(redis);
      expect((await answers(client, room, questions.length)).toSorted()).toEqual(questions.map((text) => `You said: ${text}`).toSorted());
      const isGone = proxy.isGone();
      await proxy.stop();
      await dying.stop();
      if (!isGone) break;
    }
    expect(stored).toContain(false);
    expect(stored).toContain(true);
  });

  it("[BOT13] lets a frozen worker write nothing in a room that another worker has taken over", async () => {
    const { redis, client, room } = await ownPalaver();
    let goOn = () => {};
    const slow = await modelEndpoint(async (response) => {
      await sendParts(response, [event(chunk("Frozen"))]);
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      await sendParts(response, [event(chunk(" and back")), event(chunk({}, "stop")), event("[DONE]")]);
      response.end();
    });
    const frozen = await workerProcess(redis.url, slow.url);
    const replies = watchReply(client, room);
    await client.send("Well?", room);
    await until(replies, { text: "Frozen" });
    frozen.kill("SIGSTOP");
    const model = new ScriptedModel();
    await ownWorker(redis.url, model);
    const asked = (await model.next()).say("Awake");
    await until(replies, { text: "Awake" });
    goOn();
    frozen.kill("SIGCONT");
    await expect.poll(() => frozen.stdout + frozen.stderr).toContain("another process");
    asked.say(" and well").end();
    expect(await until(replies, { state: "DONE" })).toMatchObject({ text: "Awake and well" });
    await allSeenTo(redis);
    expect(await answers(client, room, 1)).toEqual(["Awake and well"]);
  });

  it("[BOT14] finds a question without a request, as after a server died between the two writes", async () => {
    const { redis, client, room } = await ownPalaver();
    await client.send("Lost?", room);
    await redis.client.del("hints:{assistant}", "waiting:{assistant}");
    await ownWorker(redis.url, echo);
    expect(await answers(client, room, 1)).toEqual(["You said: Lost?"]);
  });

  it("[BOT14] finds the questions that a trimmed log no longer has, and answers each once", async () => {
    const { redis, client, room } = await ownPalaver();
    await client.send("One?", room);
    await client.send("Two?", room);
    await redis.client.xtrim(`log:{room:${room}}`, "MAXLEN", 0);
    await ownWorker(redis.url, echo);
    expect(await answers(client, room, 2)).toEqual(["You said: One?", "You said: Two?"]);
    await redis.client.xtrim(`log:{room:${room}}`, "MAXLEN", 0);
    await client.send("Three?", room);
    await allSeenTo(redis);
    expect(await answers(client, room, 3)).toEqual(["You said: One?", "You said: Two?", "You said: Three?"]);
  });

  it("[BOT15] gives up a question that kills its workers; the operator can list and retry it", async () => {
    const { redis, client, room } = await ownPalaver();
    const replies = watchReply(client, room);
    const { id } = await client.send("Deadly", room);
    const scripts = new Scripts(redis.client, scriptSources());
    const keys = { consumed: `consumed:{room:${room}}`, log: `log:{room:${room}}`, meta: `meta:{room:${room}}` };
    for (const fence of ["a", "b", "c"]) await scripts.run("consumer_take", keys, { name: "assistant", fence, lease: 0 });
    const worker = await ownWorker(redis.url, echo);
    expect((await until(replies, { state: "FAILED" })).problem).toMatch(/tried 3 times/);
    await worker.stop();

    const run = async (...args: string[]) => {
      const program = launch({ file: WORKER, cwd: await emptyFolder(), args: ["--redis", redis.url, ...args] });
      expect(await program.end()).toBe(0);
      return program.stdout;
    };
    expect(await run("--dead")).toMatch(new RegExp(`^\\d+-0 .*room ${room} .*message ${id} .*tried 3 times`));
    expect(await run("--again", "all")).toBe("Asked again: 1.\n");
    expect(await run("--dead")).toMatch(/No dead letters/);
    await ownWorker(redis.url, echo);
    expect(await answers(client, room, 1)).toEqual(["You said: Deadly"]);
  });

  it("[BOT16] finishes its answer within its patience on stop, and releases the rest to others at once", async () => {
    const { redis, client, room } = await ownPalaver();
    const [first, second] = [new ScriptedModel(), new ScriptedModel()];
    const patient = await ownWorker(redis.url, first, { assistantPatience: 60 });
    const replies = watchReply(client, room);
    await client.send("one", room);
    await client.send("two", room);
    const one = (await first.next()).say("begun");
    await until(replies, { text: "begun" });
    const stopping = patient.stop();
    one.say(" and done").end();
    await stopping;
    expect(await answers(client, room, 1)).toEqual(["begun and done"]);

    const hasty = await ownWorker(redis.url, second, { assistantLease: 300 });
    const two = (await second.next()).say("never");
    expect(two.question).toBe("two");
    await until(replies, { text: "never" });
    await hasty.stop();
    await ownWorker(redis.url, echo, { assistantLease: 300 }); // need not wait for the lease to expire
    expect(await answers(client, room, 2)).toEqual(["begun and done", "You said: two"]);
  });

  it("[BOT17] shares one account, which has no login, among all workers; it is online while one lives", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url, { presenceLease: 2 });
    const workers = await Promise.all(Array.from({ length: 8 }, () => ownWorker(redis.url, echo)));
    const assistant = await assistantId(server);
    const client = await TestClient.register(server);
    const { users } = await client.ask("{ users { nodes { id isAssistant online } } }");
    expect(users.nodes.filter(({ isAssistant }: { isAssistant: boolean }) => isAssistant)).toEqual([
      { id: assistant, isAssistant: true, online: true },
    ]);
    expect(await redis.client.hgetall(`user:${assistant}`)).toMatchObject({
      username: "assistant",
      password: expect.stringMatching(/^\$2b\$/),
    });
    const taken = 'mutation { register(username: "assistant", password: "a good password") { token } }';
    expect((await client.refused(taken)).extensions.code).toBe("USERNAME_TAKEN");
    const watching = client.subscribe("subscription ($ids: [ID!]) { userOnline(userIds: $ids) { online } }", { ids: [assistant] });
    await client.subscribe("{ me { id } }").next(); // the subscription runs once this returns
    await Promise.all(workers.map((worker) => worker.stop()));
    expect(await watching.next()).toEqual({ online: false });
    const room = await openRoom(client, assistant);
    await client.send("Anyone?", room); // waits
    await ownWorker(redis.url, echo);
    expect(await answers(client, room, 1)).toEqual(["You said: Anyone?"]);
  });

  it("[BOT17] reports a username that a person holds, and the worker exits", async () => {
    const { redis, client } = await ownPalaver();
    const worker = launch({
      file: WORKER,
      cwd: await emptyFolder(),
      args: ["--redis", redis.url, "--assistant-username", client.username],
    });
    await worker.ready(); // the account exists already and keeps its name
    worker.kill("SIGTERM");
    expect(await worker.end()).toBe(0);
    await redis.client.del("assistant");
    const other = launch({ file: WORKER, cwd: await emptyFolder(), args: ["--redis", redis.url, "--assistant-username", client.username] });
    expect(await other.end()).toBe(1);
    expect(other.stderr).toMatch(/already belongs to a person.*ASSISTANT_USERNAME/);
    await (await ownServer(redis.url, { assistant: true, assistantUsername: client.username })).stop(); // a server runs without it
    const itself = await ownServer(redis.url, { assistant: true });
    const { room, client: asker } = await withAssistant(itself);
    await asker.send("Hello", room);
    expect(await answers(asker, room, 1)).toHaveLength(1);
  });

  it("[BOT18] answers, cancels and recovers on a Redis Cluster", async () => {
    const { urls } = await ownCluster();
    const [one, two] = [await ownServer(urls.join(",")), await ownServer(urls.join(","))];
    const model = new ScriptedModel();
    const first = await ownWorker(urls.join(","), model);
    const rooms = await Promise.all([one, two, one].map(withAssistant));
    for (const { client, room } of rooms) {
      const replies = watchReply(client.on(two), room);
      const { id } = await client.send("Well?", room);
      const asked = (await model.next()).say("It");
      expect(await until(replies, { text: "It" })).toMatchObject({ replyTo: id });
      asked.say(" works").end();
      await until(replies, { state: "DONE", text: "It works" });
      expect(await said(client, room)).toMatchObject([{ text: "Well?" }, { text: "It works", by: "assistant", to: id }]);
      await client.send("Stop", room);
      const stopped = (await model.next()).say("No");
      await until(replies, { text: "No" });
      expect(await cancel(client, room)).toBe(true);
      await stopped.aborted;
      await until(replies, { state: "CANCELLED", text: "No" });
      await client.send("Go", room);
      await model.next();
    }
    await first.stop();
    await ownWorker(urls.join(","), echo);
    for (const { client, room } of rooms) expect(await answers(client, room, 3)).toEqual(["It works", "No", "You said: Go"]);
  });
});
