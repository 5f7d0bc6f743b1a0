import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build, type Rolldown } from "vite";
import { describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { launchBrowser } from "../helpers/browser.js";
import { cleanUp } from "../helpers/cleanup.js";
import { TestClient } from "../helpers/client.js";
import { eventually } from "../helpers/eventually.js";
import { emptyFolder, start } from "../helpers/program.js";
import { proxyTo } from "../helpers/proxy.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";
import * as apollo from "./apollo.js";
import { type Connection, follow, type Message } from "./follow.js";
import * as graphqlWs from "./graphql-ws.js";
import * as relay from "./relay.js";
import * as urql from "./urql.js";
import * as websocket from "./websocket.js";

vi.stubGlobal("WebSocket", WebSocket); // Node has none before 22
vi.doMock("graphql-ws", () => import("graphql-ws-5"));
vi.resetModules();
const graphqlWs5 = (await import("./graphql-ws.js")) as typeof graphqlWs;

type Connect = (url: string, token: string) => Connection;
const recipes: Record<string, Connect> = {
  "graphql-ws 6": graphqlWs.connect,
  "graphql-ws 5": graphqlWs5.connect,
  "Apollo Client": apollo.connect,
  urql: urql.connect,
  Relay: relay.connect,
  WebSocket: websocket.connect,
};

/** A user who subscribes with a recipe; collects the texts of each room in order of arrival. */
function reader(connect: Connect, url: string, { token }: TestClient) {
  const seen = new Map<string, string[]>();
  const pages: string[] = [];
  const leaving = new AbortController();
  const followed = follow(connect(`${url}/graphql`, token ?? ""), {
    onRoom(roomId, messages) {
      pages.push(roomId);
      seen.set(
        roomId,
        messages.map(({ text }) => text),
      );
    },
    onMessage: ({ roomId, text }: Message) => void seen.set(roomId, [...(seen.get(roomId) ?? []), text]),
    signal: leaving.signal,
  });
  followed.catch(() => {}); // tests that expect a rejection check for it
  cleanUp(() => leaving.abort());
  return { followed, pages, in: (roomId: string) => seen.get(roomId) ?? [] };
}

/** Serves a page with a list and a module's exports as globals; returns its address. */
async function siteWith(module: string): Promise<string> {
  const built = await build({ logLevel: "error", build: { write: false, lib: { entry: module, name: "palaver", formats: ["iife"] } } });
  const [{ output }] = built as [Rolldown.RolldownOutput];
  const html = `<!doctype html><ul></ul><script>${output[0]?.code}; Object.assign(globalThis, palaver)</script>`;
  const server = createServer((_request, response) => response.setHeader("content-type", "text/html").end(html));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUp(async () => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const http = (proxy: { url: string }) => proxy.url.replace("redis", "http");

async function privateRoom(one: TestClient, other: TestClient): Promise<string> {
  return (await one.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: other.id })).openPrivateRoom.id;
}

describe("the client recipes", () => {
  it("[CLIENT1] lose and repeat nothing across cut connections, a killed server and new rooms", async () => {
    const redis = await ownRedis();
    const writer = await TestClient.register(await ownServer(redis.url), "writer");
    const first = await start(await emptyFolder(), "--redis", redis.url);
    const proxy = await proxyTo(first.url);
    cleanUp(proxy.stop);
    const ann = await TestClient.register(first, "ann");
    const readers = Object.entries(recipes).map(([name, connect]) => ({ name, ...reader(connect, http(proxy), ann) }));
    for (const { pages } of readers) await eventually(() => expect(pages).toContain("0"));

    const sent: string[] = [];
    let writing = true;
    const writes = (async () => {
      for (; writing; await new Promise(setImmediate)) sent.push((await writer.send(`${sent.length}`)).text);
    })();
    const haveAll = () =>
      eventually(() => {
        for (const { name, in: seen } of readers) expect(seen("0").at(-1), name).toBe(sent.at(-1));
      });
    const haveMore = async () => {
      const before = sent.length;
      await eventually(() => {
        for (const { name, in: seen } of readers) expect(Number(seen("0").at(-1)), name).toBeGreaterThan(before);
      });
    };
    await haveMore();
    for (let n = 0; n < 2; n++) {
      proxy.cut();
      await haveMore();
    }

    proxy.goAway();
    first.kill("SIGKILL");
    const room = await privateRoom(writer, ann);
    for (const text of ["this room", "is new"]) await writer.send(text, room);
    const second = await start(await emptyFolder(), "--redis", redis.url);
    proxy.leadTo(second.url);
    proxy.comeBack();
    await haveMore();
    writing = false;
    await writes;
    await haveAll();
    for (const { name, in: seen, pages } of readers) {
      expect(seen("0"), name).toEqual(sent);
      expect(seen(room), name).toEqual(["this room", "is new"]);
      expect(pages, name).toEqual(["0", room]);
    }
  });

  it("[CLIENT1] lose and repeat nothing in Chromium while the server is away for seconds", async () => {
    const redis = await ownRedis();
    const writer = await TestClient.register(await ownServer(redis.url), "writer");
    const site = await siteWith(fileURLToPath(new URL("./page.ts", import.meta.url)));
    const run = async () => start(await emptyFolder(), "--redis", redis.url, "--allowed-origins", site);
    const first = await run();
    const proxy = await proxyTo(first.url);
    cleanUp(proxy.stop);
    const ann = await TestClient.register(first, "ann");
    const browser = await launchBrowser();
    cleanUp(() => browser.close());
    const page = await browser.newPage();
    page.setDefaultTimeout(100_000); // ms
    await page.goto(site);
    const never = "new AbortController().signal";
    await page.evaluate(`void showRoom("0", document.querySelector("ul"), "${http(proxy)}/graphql", "${ann.token}", ${never})`);
    const rows = () => page.locator("li").allTextContents();

    const sent: string[] = [];
    const write = async (count: number) => {
      for (let n = 0; n < count; n++) sent.push((await writer.send(`${sent.length}`)).text);
    };
    await write(5);
    await expect.poll(rows).toEqual(sent);
    await page.evaluate("document.querySelector('ul').append(Object.assign(document.createElement('li'), { textContent: 'mark' }))");
    proxy.goAway();
    first.kill("SIGKILL");
    await write(20);
    for (let n = 0; n < 2; n++) await page.waitForEvent("websocket"); // failed reconnects
    const second = await run();
    proxy.leadTo(second.url);
    proxy.comeBack();
    await write(5);
    await expect.poll(rows).toEqual([...sent.slice(0, 5), "mark", ...sent.slice(5)]); // the same list: it was not reloaded
  });

  it("[CLIENT2] reload a room after a gap longer than its log", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url, { roomLogLength: 100 });
    const proxy = await proxyTo(server.url);
    cleanUp(proxy.stop);
    const [writer, ann] = [await TestClient.register(server, "writer"), await TestClient.register(server, "ann")];
    const readers = Object.entries(recipes).map(([name, connect]) => ({ name, ...reader(connect, http(proxy), ann) }));
    await writer.send("before");
    for (const { name, in: seen } of readers) await eventually(() => expect(seen("0"), name).toEqual(["before"]));
    proxy.goAway();
    const sent: string[] = [];
    for (let n = 0; n < 400; n++) sent.push((await writer.send(`${n}`)).text);
    proxy.comeBack();
    for (const { name, in: seen } of readers) await eventually(() => expect(seen("0"), name).toEqual(sent.slice(-50)));
    await writer.send("after");
    for (const { name, in: seen } of readers) await eventually(() => expect(seen("0"), name).toEqual([...sent.slice(-50), "after"]));
  });

  it("[CLIENT3] end with UNAUTHENTICATED when the session ends", async () => {
    const redis = await ownRedis();
    const server = await ownServer(redis.url);
    const ann = await TestClient.register(server, "ann");
    const readers = Object.entries(recipes).map(([name, connect]) => ({ name, ...reader(connect, server.url, ann) }));
    for (const { pages } of readers) await eventually(() => expect(pages).toContain("0"));
    await ann.ask("mutation { logout }");
    for (const { name, followed } of readers) await expect(followed, name).rejects.toThrow("UNAUTHENTICATED");
  });
});
