import { Cluster, type Redis } from "ioredis";
import { isRoomId, isUserId } from "../api/ids.js";
import type { SendStore } from "../messages/send.store.js";
import type { PresenceStore } from "../presence/presence.store.js";
import { isRedisAway, type RedisClient } from "../redis/connect.js";
import type { UserStore } from "../users/user.store.js";
import type { RoomId, UserId } from "../util/ids.js";
import type { LimitedLog } from "../util/limited-log.js";
import { type Heard, OURS, readEnvelope } from "./envelope.js";
import { demoChannels } from "./keys.js";

const MOST_ROOMS = 1_000; // that wait for a check; news in further rooms is found at the next read or subscription
const MOST_TOLD = 100; // scores per room, and messages per score, likewise
const SOON = 50; // ms after which a room is checked again for what an app is about to announce
const LOOK = 10_000; // ms between two checks whether the sets of online users agree

interface Told {
  /** The announced messages in order of arrival; consecutive ones with the same score together. */
  messages: { score: string; members: string[] }[];
  opening: boolean;
}

/**
 * Listens to what the demo apps announce on their channel. Announcements are hints; the database is authoritative. The first server that
 * reads a change there turns it into events for subscribers. So it does no harm if all servers get the same announcement, get it twice, or
 * not at all, nor if another client of this Redis publishes anything at all.
 */
export class DemoListener {
  readonly #redis: RedisClient;
  readonly #sends: Pick<SendStore, "adopt">;
  readonly #presence: Pick<PresenceStore, "lookAt" | "lookAtAll">;
  readonly #users: Pick<UserStore, "idOf">;
  readonly #log: LimitedLog;
  readonly #onGap: () => void;
  #look: NodeJS.Timeout | undefined;

  /** What to check, by room and by user. */
  #rooms = new Map<RoomId, Told>();
  #people = new Set<UserId>();
  #looking = false;
  /** Rooms that are checked again in a moment. */
  readonly #again = new Map<string, NodeJS.Timeout>();

  /**
   * @param redis a dedicated connection, which the caller closes
   * @param onGap called when announcements may have been missed
   */
  constructor(
    redis: RedisClient,
    { sends, presence, users }: { sends: SendStore; presence: PresenceStore; users: UserStore },
    log: LimitedLog,
    onGap: () => void,
  ) {
    this.#redis = redis;
    this.#sends = sends;
    this.#presence = presence;
    this.#users = users;
    this.#log = log;
    this.#onGap = onGap;
  }

  /** Resolves once Redis has acknowledged the subscription, and earlier changes of who is online have been processed. */
  async start(): Promise<void> {
    const redis = this.#redis;
    redis.on("message", (_channel: string, text: string) => this.#hear(text));
    await redis.subscribe(demoChannels.demos);
    await this.#presence.lookAtAll({ sizesMayDo: false });
    if (!(redis instanceof Cluster)) redis.on("ready", () => this.#try(() => this.#makeUp(redis)));
    // A cluster's client does not report a lost connection, and other clients of this Redis may change the set without an announcement.
    this.#look = setInterval(() => this.#try(() => this.#checkUp()), LOOK).unref();
  }

  stop(): void {
    clearInterval(this.#look);
    for (const timer of this.#again.values()) clearTimeout(timer);
  }

  async #checkUp(): Promise<void> {
    await this.#redis.subscribe(demoChannels.demos); // again, in case Redis refused it; idempotent
    await this.#presence.lookAtAll({ sizesMayDo: true });
  }

  /** Subscribes again on a new connection, and checks for what was missed. */
  async #makeUp(redis: Redis): Promise<void> {
    await redis.subscribe(demoChannels.demos);
    this.#onGap();
    await this.#presence.lookAtAll({ sizesMayDo: false });
  }

  #hear(text: string): void {
    if (text.startsWith(OURS)) return;
    const heard = readEnvelope(text);
    if (heard) this.#note(heard);
    else
      this.#log.warn("strange envelope", { length: text.length, beginning: text.slice(0, 80) }, "ignored an invalid message on MESSAGES");
  }

  #note(heard: Heard): void {
    if (heard.kind === "message") {
      this.#noteRoom(heard.roomId, heard);
      this.#meet(heard.userId);
    } else if (heard.kind === "room") this.#noteRoom(heard.roomId);
    else if ("userId" in heard) this.#meet(heard.userId);
    else this.#try(async () => this.#meet(await this.#users.idOf(heard.username)));
  }

  /** @param message the announced message; without one, the announcement is that the room is new */
  #noteRoom(roomId: RoomId, message?: { score: string | undefined; member: string }): void {
    if (!isRoomId(roomId)) return;
    const told = this.#rooms.get(roomId) ?? { messages: [], opening: false };
    if (!message) told.opening = true;
    else if (message.score !== undefined) {
      const last = told.messages.at(-1);
      if (last?.score === message.score && last.members.length < MOST_TOLD) last.members.push(message.member);
      else if (told.messages.length < MOST_TOLD) told.messages.push({ score: message.score, members: [message.member] });
    }
    this.#noteLook(roomId, told);
  }

  #noteLook(roomId: RoomId, told: Told): void {
    if (this.#rooms.size < MOST_ROOMS || this.#rooms.has(roomId)) this.#rooms.set(roomId, told);
    void this.#lookAround();
  }

  /** Checks again soon. If the app never announces what it stored, the message is adopted without a hint. */
  #lookAgain(roomId: RoomId, opening: boolean): void {
    if (this.#again.has(roomId) || this.#again.size >= MOST_ROOMS) return;
    const timer = setTimeout(() => {
      this.#again.delete(roomId);
      const told = this.#rooms.get(roomId) ?? { messages: [], opening: false };
      this.#noteLook(roomId, { ...told, opening: told.opening || opening });
    }, SOON);
    this.#again.set(roomId, timer.unref());
  }

  #meet(userId: UserId | undefined): void {
    if (userId !== undefined && isUserId(userId) && this.#people.size < MOST_ROOMS) this.#people.add(userId);
    void this.#lookAround();
  }

  /** Checks all announced rooms and users at once, and repeats this until no announcement arrived during it. */
  async #lookAround(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    while (this.#rooms.size + this.#people.size > 0) {
      const [rooms, people] = [this.#rooms, this.#people];
      this.#rooms = new Map();
      this.#people = new Set();
      await Promise.all([
        ...[...rooms].map(([roomId, told]) => this.#trying(() => this.#lookInto(roomId, told))),
        ...[...people].map((userId) => this.#trying(() => this.#presence.lookAt(userId))),
      ]);
    }
    this.#looking = false;
  }

  async #lookInto(roomId: RoomId, { messages, opening }: Told): Promise<void> {
    let early = false;
    if (opening || messages.length === 0) early = await this.#sends.adopt(roomId, undefined, opening);
    for (const heard of messages) early = await this.#sends.adopt(roomId, heard, false);
    if (early) this.#lookAgain(roomId, opening);
  }

  #try(work: () => Promise<unknown>): void {
    void this.#trying(work);
  }

  async #trying(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (err) {
      // While Redis is unavailable, nothing is lost: changes in the database are found later.
      if (!isRedisAway(err)) this.#log.error("looking around", { err }, "could not process an announcement of a demo app");
    }
  }
}
