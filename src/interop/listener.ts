import { Cluster, type Redis } from "ioredis";
import type { LimitedLog } from "../limited-log.js";
import type { MessageStore } from "../messages/message.store.js";
import type { PresenceStore } from "../presence/presence.store.js";
import { isRedisAway, type RedisClient } from "../redis/connect.js";
import { channels, GENERAL } from "../redis/keys.js";
import { isRoomId, privatePair } from "../rooms/room.store.js";
import { isUserId, type UserStore } from "../users/user.store.js";
import { type Heard, OURS, readEnvelope } from "./envelope.js";

const MOST_ROOMS = 1_000; // that wait for a look; of more, what is new is found when they are next read or followed
const MOST_TOLD = 100; // scores of messages in one room, and messages at one score, likewise
const SOON = 50; // ms after which a room is looked into again for what an app is about to tell of
const LOOK = 10_000; // ms between two looks at whether all agree on who is online

interface Told {
  /** The messages in the order heard; consecutive ones with the same score together. */
  messages: { score: string; members: string[] }[];
  opening: boolean;
}

/**
 * Hears what the demo apps tell each other on their channel. Each word is only a hint of where to look: what is true is in the
 * database, where whoever looks first makes of it what our followers are told. So it does no harm that all servers hear the
 * same, or hear it twice, or not at all, nor that anyone with a connection to this Redis can say anything.
 */
export class DemoListener {
  readonly #redis: RedisClient;
  readonly #messages: Pick<MessageStore, "adopt">;
  readonly #presence: Pick<PresenceStore, "lookAt" | "lookAtAll">;
  readonly #users: Pick<UserStore, "idOf">;
  readonly #log: LimitedLog;
  readonly #onGap: () => void;
  #look: NodeJS.Timeout | undefined;

  /** Where to look, by room and by user. */
  #rooms = new Map<string, Told>();
  #people = new Set<string>();
  #looking = false;
  /** Rooms that are looked into again in a moment. */
  readonly #again = new Map<string, NodeJS.Timeout>();

  /**
   * @param redis a connection of its own, to be closed by whoever made it
   * @param onGap is told when something may have been said that was not heard
   */
  constructor(
    redis: RedisClient,
    { messages, presence, users }: { messages: MessageStore; presence: PresenceStore; users: UserStore },
    log: LimitedLog,
    onGap: () => void,
  ) {
    this.#redis = redis;
    this.#messages = messages;
    this.#presence = presence;
    this.#users = users;
    this.#log = log;
    this.#onGap = onGap;
  }

  /** Resolves when Redis has acknowledged that we listen, and what was told before has been made up for. */
  async start(): Promise<void> {
    const redis = this.#redis;
    redis.on("message", (_channel: string, text: string) => this.#hear(text));
    await redis.subscribe(channels.demos);
    await this.#presence.lookAtAll({ sizesMayDo: false });
    if (!(redis instanceof Cluster)) redis.on("ready", () => this.#try(() => this.#makeUp(redis)));
    // A cluster's client does not tell that it was away; and who shares this Redis may change the set without a word.
    this.#look = setInterval(() => this.#try(() => this.#checkUp()), LOOK).unref();
  }

  stop(): void {
    clearInterval(this.#look);
    for (const timer of this.#again.values()) clearTimeout(timer);
  }

  async #checkUp(): Promise<void> {
    await this.#redis.subscribe(channels.demos); // once more, should Redis have refused it; again is fine
    await this.#presence.lookAtAll({ sizesMayDo: true });
  }

  /** Listens again on a new connection, and looks for what was missed. */
  async #makeUp(redis: Redis): Promise<void> {
    await redis.subscribe(channels.demos);
    this.#onGap();
    await this.#presence.lookAtAll({ sizesMayDo: false });
  }

  #hear(text: string): void {
    if (text.startsWith(OURS)) return;
    const heard = readEnvelope(text);
    if (heard) this.#note(heard);
    else
      this.#log.warn("strange envelope", { length: text.length, beginning: text.slice(0, 80) }, "something on MESSAGES is of no demo app");
  }

  #note(heard: Heard): void {
    if (heard.kind === "message") {
      this.#noteRoom(heard.roomId, heard);
      this.#meet(heard.userId);
    } else if (heard.kind === "room") this.#noteRoom(heard.roomId);
    else if ("userId" in heard) this.#meet(heard.userId);
    else this.#try(async () => this.#meet(await this.#users.idOf(heard.username)));
  }

  /** @param message what was told of, else that the room is new */
  #noteRoom(roomId: string, message?: { score: string | undefined; member: string }): void {
    if (roomId !== GENERAL && !privatePair(roomId) && !isRoomId(roomId)) return;
    const told = this.#rooms.get(roomId) ?? { messages: [], opening: false };
    if (!message) told.opening = true;
    else if (message.score !== undefined) {
      const last = told.messages.at(-1);
      if (last?.score === message.score && last.members.length < MOST_TOLD) last.members.push(message.member);
      else if (told.messages.length < MOST_TOLD) told.messages.push({ score: message.score, members: [message.member] });
    }
    this.#noteLook(roomId, told);
  }

  #noteLook(roomId: string, told: Told): void {
    if (this.#rooms.size < MOST_ROOMS || this.#rooms.has(roomId)) this.#rooms.set(roomId, told);
    void this.#lookAround();
  }

  /** An app may never publish what it stored: then the message is taken in without a hint. */
  #lookAgain(roomId: string, opening: boolean): void {
    if (this.#again.has(roomId) || this.#again.size >= MOST_ROOMS) return;
    const timer = setTimeout(() => {
      this.#again.delete(roomId);
      const told = this.#rooms.get(roomId) ?? { messages: [], opening: false };
      this.#noteLook(roomId, { ...told, opening: told.opening || opening });
    }, SOON);
    this.#again.set(roomId, timer.unref());
  }

  #meet(userId: string | undefined): void {
    if (userId !== undefined && isUserId(userId) && this.#people.size < MOST_ROOMS) this.#people.add(userId);
    void this.#lookAround();
  }

  /** Looks wherever something was told of, all places at once, until nothing more was told meanwhile. */
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

  async #lookInto(roomId: string, { messages, opening }: Told): Promise<void> {
    let early = false;
    if (opening || messages.length === 0) early = await this.#messages.adopt(roomId, undefined, opening);
    for (const heard of messages) early = await this.#messages.adopt(roomId, heard, false);
    if (early) this.#lookAgain(roomId, opening);
  }

  #try(work: () => Promise<unknown>): void {
    void this.#trying(work);
  }

  async #trying(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (err) {
      // While Redis is away nothing is lost by that: what is in the database is found later.
      if (!isRedisAway(err)) this.#log.error("looking around", { err }, "could not look after what a demo app told");
    }
  }
}
