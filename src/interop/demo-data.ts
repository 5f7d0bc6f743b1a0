import { setTimeout as delay } from "node:timers/promises";
import { GENERAL, pairOf } from "../api/ids.js";
import { logKeys } from "../log/keys.js";
import { asOurs } from "../messages/ours.js";
import type { RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import { roomKeys } from "../rooms/keys.js";
import type { Passwords } from "../sessions/password.js";
import { userKeys } from "../users/keys.js";
import type { UserStore } from "../users/user.store.js";
import type { RoomId, UserId } from "../util/ids.js";
import { demoKeys } from "./keys.js";

/** The accounts of the demo apps, in the order of their ids. */
export const DEMO_USERS = ["Pablo", "Joe", "Mary", "Alex"];
export const DEMO_PASSWORD = "password123";

const GREETINGS = ["Hello", "Hi", "Yo", "Hola"];
const GENERAL_MESSAGES = [
  "Hello!",
  "Hi, How are you? What about our next meeting?",
  "Yeah everything is fine",
  "Next meeting tomorrow 10.00AM",
  "Wow that's great",
];

const SEEDING_LEASE = 30; // seconds after which another server may start over

/**
 * Fills an empty database as the demo apps do: four accounts, a private room with two messages for each two of them, and five messages in
 * the general room. Does not change a database with a user counter.
 *
 * If several servers start together, one writes, and the others wait. If it dies before the end, another one writes everything again.
 */
export async function seedDemoData(redis: RedisClient, scripts: Scripts, passwords: Passwords): Promise<void> {
  for (;;) {
    const claimKeys = { totalUsers: userKeys.totalUsers, seeding: demoKeys.seeding };
    const claim = await scripts.run("demo_data_claim", claimKeys, { users: DEMO_USERS.length, lease: SEEDING_LEASE });
    if (claim === -1) return;
    if (claim === 1) break;
    await delay(50); // ms
  }

  const users = DEMO_USERS.map((username, index) => ({ id: String(index + 1) as UserId, username }));
  const now = Math.floor(Date.now() / 1_000); // seconds, as the demo apps count
  const userRooms = new Map(users.map(({ id }) => [id, [GENERAL]]));
  const rooms: { id: RoomId; messages: { from: string; text: string; date: number }[] }[] = [
    {
      id: GENERAL,
      messages: GENERAL_MESSAGES.map((text, index) => ({ from: pick(users).id, text, date: now - 1_000 + 200 * index })),
    },
  ];
  for (const [index, low] of users.entries()) {
    for (const high of users.slice(index + 1)) {
      const id = pairOf(low.id, high.id);
      userRooms.get(low.id)?.push(id);
      userRooms.get(high.id)?.push(id);
      rooms.push({
        id,
        messages: [high, low].map(({ id: from }, turn) => ({ from, text: pick(GREETINGS), date: now - 222 * (2 - turn) })),
      });
    }
  }

  await redis.set(logKeys.roomName(GENERAL), "General");
  await Promise.all(
    rooms.map(async ({ id, messages }) => {
      for (const key of [logKeys.room(id), logKeys.own(id), roomKeys.reads(id)]) await redis.unlink(key); // of an interrupted attempt
      for (const { from, text, date } of messages) {
        const messageId = `${id}/${date}000000`;
        await redis.zadd(logKeys.room(id), date, asOurs({ from, date, message: text, roomId: id, id: messageId }));
        // The author has read it, as after a send.
        await redis.zadd(logKeys.own(id), 0, `${from}:${String(date).padStart(10, "0")}000000`);
        await redis.hset(roomKeys.reads(id), from, `${date} ${messageId}`);
      }
    }),
  );
  await Promise.all(
    users.map(async ({ id, username }) => {
      await redis.hset(userKeys.user(id), { username, password: await passwords.hash(DEMO_PASSWORD) });
      await redis.sadd(userKeys.userRooms(id), ...(userRooms.get(id) ?? []));
      await redis.set(userKeys.username(username), userKeys.user(id));
    }),
  );
  await redis.unlink(demoKeys.seeding);
}

/** The demo apps' accounts that exist and still have the published password. */
export class DemoAccounts {
  readonly #users: UserStore;
  readonly #passwords: Passwords;
  readonly #offers: boolean;
  /** Their usernames, as found by `look`. */
  open: string[] = [];

  /** @param offers whether the API lists them; otherwise only the operator learns of them */
  constructor(users: UserStore, passwords: Passwords, offers: boolean) {
    this.#users = users;
    this.#passwords = passwords;
    this.#offers = offers;
  }

  /** The usernames that the API lists. */
  get offered(): string[] {
    return this.#offers ? this.open : [];
  }

  async look(): Promise<void> {
    const open = await Promise.all(
      DEMO_USERS.map(async (username) => this.#passwords.matches(DEMO_PASSWORD, await this.#users.credentials(username))),
    );
    this.open = DEMO_USERS.filter((_, index) => open[index]);
  }
}

function pick<T>(choices: T[]): T {
  return choices[Math.floor(Math.random() * choices.length)] as T;
}
