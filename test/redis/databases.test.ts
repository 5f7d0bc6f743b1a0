import { expect, it } from "vitest";
import { type Stream, TestClient } from "../helpers/client.js";
import { eventually } from "../helpers/eventually.js";
import { ownRedis } from "../helpers/redis.js";
import { ownServer } from "../helpers/server.js";

const redis = await ownRedis();
const zero = await ownServer(`${redis.url}/0`);
const one = await ownServer(`${redis.url}/1`);
const second = await ownServer(`${redis.url}/1`);

/** Creates two users, with the same ids in each database. */
async function pair(server: { url: string }) {
  const ann = await TestClient.register(server, "ann");
  const ben = await TestClient.register(server, "ben");
  const { openPrivateRoom } = await ann.ask("mutation ($id: ID!) { openPrivateRoom(userId: $id) { id } }", { id: ben.id });
  return { ann, ben, room: openPrivateRoom.id as string };
}

const SUBSCRIPTIONS = [
  "subscription ($r: ID) { roomEvents(roomId: $r) { __typename ... on MessageAdded { message { text } } } }",
  "subscription { messageAdded { text } }",
  "subscription { roomShown { id } }",
  "subscription ($r: ID!) { typing(roomId: $r) { typing } }",
  "subscription { userOnline { username online } }",
];

it("[D8] isolates servers on two databases of one Redis, even where ids are the same", async () => {
  const [there, here] = [await pair(zero), await pair(one)];
  expect(there.room).toBe(here.room);
  const begin = (client: TestClient) => SUBSCRIPTIONS.map((query) => client.subscribe(query, { r: here.room }));
  const [heard = [], heardThere = []] = [begin(here.ben.on(second)), begin(there.ben)];
  const count = async (channel: string) => ((await redis.client.call("PUBSUB", "SHARDNUMSUB", channel)) as [string, number])[1];
  for (const channel of ["room:0", `room:${here.room}`, "online_users"]) {
    await eventually(async () => expect(await count(channel)).toBeGreaterThan(0));
    await eventually(async () => expect(await count(`1|${channel}`)).toBeGreaterThan(0));
  }

  await there.ann.ask("mutation ($r: ID!) { setTyping(roomId: $r) }", { r: there.room });
  await there.ann.send("secret", there.room);
  const { sessions } = await there.ben.ask("{ sessions { id } }");
  expect(sessions).toHaveLength(1);
  await there.ben.ask("mutation { logout(everywhere: true) }");

  // The subscribers receive this database's events, and nothing before them.
  await here.ann.ask("mutation ($r: ID!) { setTyping(roomId: $r) }", { r: here.room });
  await here.ann.send("ours", here.room);
  const [events, messages, shown, typing] = heard as [Stream, Stream, Stream, Stream];
  expect(await events.next()).toMatchObject({ message: { text: "ours" } });
  expect(await messages.texts(1)).toEqual(["ours"]);
  expect(await shown.next()).toEqual({ id: here.room });
  expect(await typing.next()).toEqual({ typing: true });
  expect(await typing.next()).toEqual({ typing: false });
  expect(await here.ben.ask("{ me { id } }")).toEqual({ me: { id: here.ben.id } });
  expect(await heardThere[0]?.next()).toMatchObject({ message: { text: "secret" } });
});
