import { Redis } from "ioredis";
import { logKeys } from "../../src/log/keys.js";
import { RoomScripts } from "../../src/log/room-scripts.js";
import { messageKeys } from "../../src/messages/keys.js";
import { encodeCursor } from "../../src/messages/page.js";
import { scriptSources } from "../../src/program/platform.js";
import { roomKeys } from "../../src/rooms/keys.js";
import type { RoomId } from "../../src/util/ids.js";
import { ask, cpuOf, end, redisCpuOf, startLoad, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";

const SIZES = [1_000, 1_000_000];
const ASKED = 3_000;
const FIELDS = "nodes { id text sentAt from { name } } pageInfo { hasPreviousPage startCursor } position";
const LOG_LENGTH = 10_000;

/** Reads a very long room and a short one, and compares the memory per message in Redis with the demo apps' plain sorted set. */
export async function history(): Promise<void> {
  const { redisUrl, ...server } = await startPalaver();
  const redis = new Redis(redisUrl, { enableAutoPipelining: true });
  redis.on("error", () => {}); // the run stops Redis before it closes this connection
  const measured = new Map<string, number[][]>();
  const memory: Row[] = [];

  for (const size of SIZES) {
    const room = `long-${size}` as RoomId;
    await redis.set(logKeys.roomName(room), room);
    await fill(redis, room, size);
    const [id, score] = (await redis.zrange(logKeys.room(room), String(size / 2), String(size / 2), "WITHSCORES")) as [string, string];
    const middle = { id: (JSON.parse(id) as { id: string }).id, score };
    await redis.hset(roomKeys.reads(room), "1", `${score} ${middle.id}`);
    memory.push(await memoryOf(redis, room, size));

    const cursor = encodeCursor(room, middle);
    const questions: [name: string, query: string, variables: object][] = [
      ["first page of 50", `query ($r: ID!) { messages(roomId: $r, last: 50) { ${FIELDS} } }`, { r: room }],
      [
        "a page of 50 in the middle",
        `query ($r: ID!, $c: String) { messages(roomId: $r, last: 50, before: $c) { ${FIELDS} } }`,
        { r: room, c: cursor },
      ],
      ["unread count", "query ($r: ID!) { room(id: $r) { unreadCount unreadMentions } }", { r: room }],
    ];
    for (const [name, query, variables] of questions) {
      process.stderr.write(`measuring ${name} of ${size} messages …\n`);
      const load = startLoad();
      const order = (count: number) => ({ asks: { url: server.url, token: server.token, query, variables, inFlight: 10, count } });
      await ask(load, order(ASKED / 3)); // warm-up
      const before = [await cpuOf(server), await redisCpuOf(redis)];
      await ask(load, order(ASKED));
      const after = [await cpuOf(server), await redisCpuOf(redis)];
      await end(load);
      measured.set(name, [...(measured.get(name) ?? []), after.map((ms, index) => ((ms - (before[index] as number)) * 1_000) / ASKED)]);
    }
  }
  redis.disconnect();
  printTable(
    `history: a room of ${SIZES[1]} messages compared with one of ${SIZES[0]}, CPU µs per query`,
    [...measured].map(
      ([name, [short, long]]): Row => ({
        name,
        "server, short": Math.round(short?.[0] ?? 0),
        "server, long": Math.round(long?.[0] ?? 0),
        "× short": (long?.[0] ?? 0) / (short?.[0] ?? 1),
        "Redis, short": Math.round(short?.[1] ?? 0),
        "Redis, long": Math.round(long?.[1] ?? 0),
        "× short ": (long?.[1] ?? 0) / (short?.[1] ?? 1),
      }),
    ),
  );
  printTable("Redis memory per message, bytes", memory);
}

/** Sends messages like a server, from five users in turn. */
async function fill(redis: Redis, room: RoomId, size: number): Promise<void> {
  const scripts = new RoomScripts(redis, scriptSources(), LOG_LENGTH);
  const firstDay = Math.floor(Date.now() / 86_400_000) - 2;
  const otherKeys = {
    members: roomKeys.members(room),
    mentioned: messageKeys.mentioned(room),
    reactions: messageKeys.reactions(room),
    reads: roomKeys.reads(room),
    sent1: messageKeys.sent(room, firstDay),
    sent2: messageKeys.sent(room, firstDay + 1),
    sent3: messageKeys.sent(room, firstDay + 2),
    sent4: messageKeys.sent(room, firstDay + 3),
  };
  for (let at = 0; at < size; at += 1_000) {
    await Promise.all(
      Array.from({ length: 1_000 }, (_, n) =>
        scripts.onRoom(
          "message_send",
          room,
          {
            roomId: room,
            from: String((n % 5) + 1),
            text: JSON.stringify(textOf(at + n)),
            clientId: "",
            firstDay,
            mentions: [],
            replyTo: "",
            replyScore: "",
            historyLimit: 0,
            historyDays: 0,
            group: false,
            wanted: [],
            quiet: [],
          },
          otherKeys,
        ),
      ),
    );
    if (at % 100_000 === 0) process.stderr.write(`filling ${room}: ${at} of ${size}\n`);
  }
}

const textOf = (n: number) => `Message number ${n}, about as long as what people say in a chat.`;

/** The memory of a room, compared with a sorted set of the same messages as a demo app writes them. */
async function memoryOf(redis: Redis, room: RoomId, size: number): Promise<Row> {
  const bare = `bare-${size}`;
  for (let at = 0; at < size; at += 1_000) {
    const members = Array.from({ length: 1_000 }, (_, n): [number, string] => {
      const date = 1_795_000_000 + at + n;
      return [date, JSON.stringify({ from: String((n % 5) + 1), date, message: textOf(at + n), roomId: room })];
    });
    await redis.zadd(bare, ...members.flat());
  }
  const sizeOf = async (key: string) => Number(await redis.call("MEMORY", "USAGE", key, "SAMPLES", "0")) / size;
  const [ours, log, own, theirs] = await Promise.all([logKeys.room(room), logKeys.log(room), logKeys.own(room), bare].map(sizeOf));
  const all = (ours ?? 0) + (log ?? 0) + (own ?? 0);
  return {
    name: `${size} messages`,
    "room:ID": Math.round(ours ?? 0),
    "log (newest 10,000)": Math.round(log ?? 0),
    "own:{room:ID}": Math.round(own ?? 0),
    all: Math.round(all),
    "demo apps' set": Math.round(theirs ?? 0),
    ratio: all / (theirs ?? 1),
  };
}
