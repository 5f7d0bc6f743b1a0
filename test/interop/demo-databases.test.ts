import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TestClient } from "../helpers/client.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

/** The database of a demo app after seeding and a short session, as Redis commands. */
function fixture(app: string): string[][] {
  const text = readFileSync(new URL(`../fixtures/${app}.tsv`, import.meta.url), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
}

const GENERAL = [
  "Hello!",
  "Hi, How are you? What about our next meeting?",
  "Yeah everything is fine",
  "Next meeting tomorrow 10.00AM",
  "Wow that's great",
];
const SESSION = ['hi all <3 & "friends"', "it's Zoë! 👋", "same second"];

describe.each([
  ["node", [...GENERAL, ...SESSION, "my clock counts milliseconds"]],
  ["flask", [...GENERAL, ...SESSION]],
  ["java", ["Hello", "Hi", "Yo", "Hola", ...SESSION]],
  ["dotnet", [...GENERAL, ...SESSION]],
])("the existing database of the %s app", async (app, general) => {
  const { url, client } = await ownRedis();
  for (const [command = "", ...args] of fixture(app)) await client.call(command, ...args);
  const before = new Map<string, string>();
  for (const key of await client.keys("*")) before.set(key, (await client.dumpBuffer(key))?.toString("hex") ?? "");
  const server = await ownServer(url, { demoData: true });

  const logIn = async (username: string, password: string) => {
    const query = "mutation ($u: String!, $p: String!) { login(username: $u, password: $p) { token user { id } } }";
    const { login } = await new TestClient(server.url).ask(query, { u: username, p: password });
    return new TestClient(server.url, login.token, login.user.id, username);
  };
  const pablo = await logIn("Pablo", "password123");
  const zoe = await logIn("Zoe", "zoes password");

  it("[DEMO2] keeps every byte of the app's data", async () => {
    for (const [key, dump] of before) expect((await client.dumpBuffer(key))?.toString("hex"), key).toBe(dump);
  });

  it("[I1] lets its users log in, and lists them and their rooms under the right names", async () => {
    expect([pablo.id, zoe.id]).toEqual(["1", "5"]);
    const { users, rooms } = await pablo.ask(
      "{ users { totalCount nodes { username } } rooms { nodes { id kind name names lastMessage { text } } } }",
    );
    expect(users).toEqual({ totalCount: 5, nodes: ["Pablo", "Joe", "Mary", "Alex", "Zoe"].map((username) => ({ username })) });
    const named = new Map<string, { name: string; names: string[] }>(rooms.nodes.map((room: { id: string }) => [room.id, room]));
    expect([...named.keys()].sort()).toEqual(["0", "1:2", "1:3", "1:4", "1:5"]);
    expect(named.get("0")).toMatchObject({ kind: "GENERAL", name: "General", names: ["General"] });
    expect(named.get("1:3")).toMatchObject({ kind: "PRIVATE", name: "Mary", names: ["Pablo", "Mary"] });
    expect(named.get("1:5")).toMatchObject({ name: "Zoe", lastMessage: { text: "yes?" } });
    expect((await zoe.ask("{ rooms { nodes { name } } }")).rooms.nodes).toEqual(expect.arrayContaining([{ name: "Pablo" }]));
  });

  it.each([1, 2, 3, 100])("[M4] pages through its history as typed, %i at a time, in both directions", async (size) => {
    const forward = await pablo.history("0", { size });
    // Messages of the same second have no defined order.
    const inOrder = (texts: string[]) => texts.map((text) => (text === SESSION[1] || text === SESSION[2] ? "one of that second" : text));
    expect(inOrder(forward)).toEqual(inOrder(general));
    expect(new Set(forward)).toEqual(new Set(general));
    expect(await pablo.history("0", { size, from: "newest" })).toEqual(forward);
  });

  it("[I1] delivers new messages live, and lists them last", async () => {
    const stream = zoe.follow({ after: [await zoe.position("1:5")] });
    await pablo.send("on we go", "1:5");
    expect(await stream.texts(1)).toEqual(["on we go"]);
    expect(
      (await zoe.ask("{ rooms { nodes { id lastMessage { text } } } }")).rooms.nodes.find(({ id }: { id: string }) => id === "1:5")
        .lastMessage.text,
    ).toBe("on we go");
  });
});
