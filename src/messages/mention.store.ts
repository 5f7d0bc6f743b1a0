import type { Page } from "../api/relay.js";
import { logKeys } from "../log/keys.js";
import type { RoomScripts } from "../log/room-scripts.js";
import type { Lenient, RedisClient } from "../redis/connect.js";
import type { AcquaintanceStore } from "../rooms/acquaintance.store.js";
import type { RoomStore } from "../rooms/room.store.js";
import type { DirectoryStore } from "../users/directory.store.js";
import { mentionKey } from "../users/fold.js";
import { badInput } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { Memo } from "../util/memo.js";
import { inPortions } from "../util/portions.js";
import { Slices } from "../util/slices.js";
import { messageKeys } from "./keys.js";
import { type FoundMention, foundMentions, mentionPlaces, type MentionPlace as PlaceInText } from "./mentions.js";
import { type MessageConsumer, type MessageConsumers, namesOf, type Said } from "./message-consumers.js";
import { parseMessageId } from "./message-id.js";
import { readReactions } from "./reaction.js";
import { digestOf, readMember, type StoredMessage } from "./stored-message.js";

const ROOMS_AT_ONCE = 20; // rooms in which mentions are looked up at a time
const AT_ONCE = 50; // messages of demo apps whose mentions are looked up at a time
const OF_ONE_SCORE = 100; // messages with almost the same score that are searched for one
const MOST_KEPT = 1_000_000; // characters of texts whose mentions are cached: the latest messages of busy rooms are not parsed again
const MICROS = 1_000_000n; // per second

/** A mention's place among all mentions of a user, over all rooms. */
export interface MentionPlace {
  /** Microseconds since 1970, in 16 digits. */
  micros: string;
  roomId: RoomId;
}

export type Mention = StoredMessage & MentionPlace;

/** Finds the users that a message mentions, and the messages that mention a user. */
export class MentionStore {
  readonly #redis: RedisClient;
  readonly #directory: Pick<DirectoryStore, "usersNamed">;
  readonly #rooms: RoomStore;
  readonly #lenient: Lenient;
  readonly #scripts: RoomScripts;
  readonly #consumers: MessageConsumers;
  readonly #acquaintances: Pick<AcquaintanceStore, "blockersAmong">;
  readonly #slices = new Slices();
  readonly #places = new Memo<PlaceInText[]>(MOST_KEPT, MOST_KEPT / 10);

  constructor(
    redis: RedisClient,
    directory: Pick<DirectoryStore, "usersNamed">,
    rooms: RoomStore,
    lenient: Lenient,
    scripts: RoomScripts,
    consumers: MessageConsumers,
    acquaintances: Pick<AcquaintanceStore, "blockersAmong">,
  ) {
    this.#consumers = consumers;
    this.#acquaintances = acquaintances;
    this.#redis = redis;
    this.#scripts = scripts;
    this.#directory = directory;
    this.#rooms = rooms;
    this.#lenient = lenient;
  }

  /** The ids of the room's members that a text mentions as `@username`; at most 20. */
  async in(text: string, roomId: RoomId): Promise<UserId[]> {
    const places = this.#placesIn(text);
    const named = await this.#directory.usersNamed([
      ...new Map(places.flatMap(({ names }) => names).map((one) => [one.name, one])).values(),
    ]);
    const known = [...new Set(foundMentions(places, ({ name }) => named.get(name)).map(({ userId }) => userId))];
    return known.length > 0 ? this.#rooms.membersAmong(roomId, known) : known;
  }

  /**
   * The ids of the room's members that a text mentions, and of those for whom the mention does not count because they block its author.
   * Without a mention, Redis is not queried.
   */
  async by(userId: UserId, text: string, roomId: RoomId): Promise<{ mentions: UserId[]; quiet: UserId[] }> {
    const mentions = await this.in(text, roomId);
    return { mentions, quiet: await this.#acquaintances.blockersAmong(userId, mentions) };
  }

  /** The ranges of a message's text that mention these users. The users are already known to be mentioned. */
  async rangesIn({ text }: Pick<StoredMessage, "text">, users: readonly { id: UserId; username: string }[]): Promise<FoundMention[]> {
    if (users.length === 0) return [];
    if (!this.#places.get(text)) await this.#slices.turn(); // an operation may search a hundred long texts
    const exactly = new Map(users.map(({ id, username }) => [username, id]));
    const byKey = new Map(users.map(({ id, username }) => [mentionKey(username), id]));
    return foundMentions(this.#placesIn(text), ({ name, key }) => exactly.get(name) ?? byKey.get(key));
  }

  #placesIn(text: string): PlaceInText[] {
    const known = this.#places.get(text);
    if (known) return known;
    const places = mentionPlaces(text);
    this.#places.set(text, places);
    return places;
  }

  /** The ids of the users that a message mentions, also if a demo app wrote it. */
  async of(message: StoredMessage): Promise<UserId[]> {
    const isOurs = message.editedAt !== null || parseMessageId(message.id)?.micros !== undefined;
    return isOurs ? message.mentionIds : this.in(message.text, message.roomId);
  }

  /**
   * Finds the users that messages of demo apps mention, and the consumers that want the messages. They were adopted without looking up
   * names, which are in other slots. They stay noted until that is done, so it does no harm if a server dies in between, or if two servers
   * do the same.
   */
  async find(roomId: RoomId): Promise<void> {
    const waiting = await this.#redis.zrangebylex(logKeys.own(roomId), "[@:", "(@;", "LIMIT", 0, AT_ONCE);
    const found = await Promise.all(waiting.map((entry) => this.#mentionedBy(roomId, entry)));
    const told = new Map<MessageConsumer, UserId>();
    for (const { name, users, message } of found) {
      const wanting = message ? await this.#takenBy({ ...message, mentionIds: users }) : [];
      const noted = await this.#scripts.onRoom(
        "mentions_note",
        roomId,
        { name, users, messageId: message?.id ?? "", from: message?.fromId ?? "", wanted: namesOf(wanting) },
        { mentioned: messageKeys.mentioned(roomId) },
      );
      if (message && noted === 2) for (const consumer of wanting) told.set(consumer, message.fromId);
    }
    await Promise.all([...told].map(([consumer, userId]) => consumer.wake(roomId, userId)));
    if (waiting.length === AT_ONCE) await this.find(roomId);
  }

  /** The users that a noted message of a demo app mentions. @param entry its entry in `own` */
  async #mentionedBy(roomId: RoomId, entry: string): Promise<{ name: string; users: UserId[]; message: StoredMessage | undefined }> {
    const [, micros, digest = ""] = /^@:(\d{1,16}):(.*)$/.exec(entry) ?? [];
    const message = micros === undefined ? undefined : await this.#foreignAt(roomId, micros, digest);
    const { mentions, quiet } = message ? await this.by(message.fromId, message.text, roomId) : { mentions: [], quiet: [] };
    return { name: entry.slice(2), message, users: mentions.filter((id) => id !== message?.fromId && !quiet.includes(id)) };
  }

  /** The consumers that want a message, and take one more in its room. */
  async #takenBy(said: Said): Promise<MessageConsumer[]> {
    const wanting = await this.#consumers.wanting(said);
    const takes = await Promise.all(wanting.map((consumer) => consumer.takes(said.roomId)));
    return wanting.filter((_, index) => takes[index]);
  }

  /** Messages that mention the user, in the user's current rooms; newest first. */
  async page(userId: UserId, { first, after }: { first: number; after: MentionPlace | undefined }): Promise<Page<Mention>> {
    const rooms = await this.#rooms.idsOf(userId);
    const found = await inPortions(rooms, ROOMS_AT_ONCE, async (roomId) => {
      if ((await this.#redis.zlexcount(logKeys.own(roomId), "[@:", "(@;")) > 0) await this.find(roomId);
      const to = after ? `(${userId}:${after.micros};` : `(${userId};`; // `;` comes right after `:`
      const entries = await this.#redis.zrevrangebylex(messageKeys.mentioned(roomId), to, `[${userId}:`, "LIMIT", 0, first + 2);
      return entries.map((entry) => {
        const [, micros = "", digest] = entry.split(":");
        return { micros, roomId, digest };
      });
    });
    const places = found
      .flat()
      .filter((place) => !after || newerFirst(after, place) < 0)
      .sort(newerFirst);
    const wanted = places.slice(0, first);
    const messages = await Promise.all(wanted.map((place) => this.#messageAt(place)));
    return {
      nodes: messages.filter((message) => message !== null),
      hasNextPage: places.length > first,
      hasPreviousPage: after !== undefined,
    };
  }

  /** The message of a demo app, by the microsecond of its score and its digest. */
  async #foreignAt(roomId: RoomId, micros: string, digest: string): Promise<StoredMessage | undefined> {
    const range = [scoreAt(micros, -1), scoreAt(micros, 1)] as const;
    const flat = await this.#lenient(this.#redis.zrangebyscore(logKeys.room(roomId), ...range, "WITHSCORES", "LIMIT", 0, OF_ONE_SCORE), []);
    const index = flat.findIndex((member, at) => at % 2 === 0 && digestOf(member) === digest);
    return index < 0 ? undefined : readMember(roomId, flat[index] as string, flat[index + 1] as string);
  }

  /** The message at a place, with its reactions; null if it has just been deleted. */
  async #messageAt(place: MentionPlace & { digest: string | undefined }): Promise<Mention | null> {
    const message = await this.#bareMessageAt(place);
    if (!message) return null;
    const reactions = await this.#redis.hget(messageKeys.reactions(place.roomId), message.id);
    return reactions === null ? message : { ...message, reactions: readReactions(JSON.parse(reactions)) };
  }

  async #bareMessageAt({ micros, roomId, digest }: MentionPlace & { digest: string | undefined }): Promise<Mention | null> {
    if (digest !== undefined) {
      const foreign = await this.#foreignAt(roomId, micros, digest);
      return foreign ? { ...foreign, micros, roomId } : null;
    }
    const id = `${roomId}/${Number(micros)}`;
    const score = parseMessageId(id)?.score ?? "0";
    const members = await this.#lenient(this.#redis.zrangebyscore(logKeys.room(roomId), score, score), []);
    const message = members.map((member) => readMember(roomId, member, score)).find((found) => found?.id === id);
    return message ? { ...message, micros, roomId } : null;
  }
}

/** The score, in seconds, that is `away` microseconds after a time in microseconds. */
function scoreAt(micros: string, away: number): string {
  const at = BigInt(micros) + BigInt(away);
  return `${at / MICROS}.${String(at % MICROS).padStart(6, "0")}`;
}

function newerFirst(one: MentionPlace, other: MentionPlace): number {
  return other.micros.localeCompare(one.micros) || one.roomId.localeCompare(other.roomId);
}

export function encodeMentionCursor({ micros, roomId }: MentionPlace): string {
  return Buffer.from(JSON.stringify([micros, roomId])).toString("base64url");
}

/** @throws ChatError BAD_USER_INPUT that names the argument, for any string that encodeMentionCursor did not return */
export function decodeMentionCursor(cursor: string, argument: string): MentionPlace {
  const [, micros, roomId] = /^\["(\d{16})","([\w:-]{1,64})"\]$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (micros === undefined || roomId === undefined || encodeMentionCursor({ micros, roomId: roomId as RoomId }) !== cursor)
    throw badInput(argument, "must be a cursor that `mentions` returned.");
  return { micros, roomId: roomId as RoomId };
}
