import { randomUUID } from "node:crypto";
import type { FollowedRooms } from "../delivery/followed-rooms.js";
import type { RoomEvent } from "../delivery/log.js";
import { decodePosition, encodePosition, type Position } from "../delivery/position.js";
import { RoomsFeed } from "../delivery/rooms-feed.js";
import { badInput } from "../errors.js";
import type { RedisClient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { type Connection, type PageArgs, pageRequest, toConnection } from "../relay.js";
import type { RoomStore } from "../rooms/room.store.js";
import { cutPage, decodeCursor, encodeCursor, type Placed, type Stretch } from "./page.js";
import { readMember, type StoredMessage } from "./stored-message.js";

export interface Sending {
  roomId: string;
  text: string;
  clientMessageId?: string | null | undefined;
}

export interface Following {
  roomId?: string | null | undefined;
  after?: string[] | null | undefined;
}

/** The event of a message that was added, as the API gives it. */
export interface AddedRecord {
  kind: "message.added";
  position: string;
  roomId: string;
  at: Date;
  message: StoredMessage;
}

/** The event of a message that was added to a room. */
interface MessageAdded extends RoomEvent {
  kind: "message.added";
  message: Record<string, unknown>;
}

export type MessageConnectionRecord = Connection<Placed> & { position: string };

const DAY = 86_400_000; // ms

const SPARE = 8; // messages read beyond a page, so that those of one score seldom need a second look
const LONGEST_STRETCH = 100_000; // members; more of one score, or unreadable in a row, than anyone but an attacker writes

/** The messages of rooms: sending, history, and following what is added. */
export class MessageStore {
  readonly #redis: RedisClient;
  readonly #scripts: Scripts;
  readonly #followed: FollowedRooms<AddedRecord>;
  readonly #rooms: RoomStore;
  readonly #onStored: (stored: { roomId: string; json: string; first: boolean }) => void;
  readonly #limits: { messageLength: number; roomLogLength: number };

  /** @param onStored is told of each message that is stored here, once; `json` is as it is in the room */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    followed: FollowedRooms<AddedRecord>,
    rooms: RoomStore,
    limits: { messageLength: number; roomLogLength: number },
    onStored: (stored: { roomId: string; json: string; first: boolean }) => void = () => {},
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#followed = followed;
    this.#rooms = rooms;
    this.#limits = limits;
    this.#onStored = onStored;
  }

  /**
   * Stores a message and wakes the room's followers. With a clientMessageId it can be repeated for at least 24 hours
   * and is stored once.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, CLIENT_MESSAGE_ID_REUSED
   */
  async send(userId: string, { roomId, text, clientMessageId }: Sending): Promise<StoredMessage> {
    this.#checkText(text);
    if (clientMessageId != null) checkClientMessageId(clientMessageId);
    await this.#rooms.check(userId, roomId);

    const firstDay = Math.floor(Date.now() / DAY) - 2;
    const [message, seq, epoch, at, first, stored] = (await this.#scripts.run(
      "message_send",
      [keys.room(roomId), keys.log(roomId), keys.meta(roomId), ...[0, 1, 2, 3].map((days) => keys.sent(roomId, firstDay + days))],
      [
        roomId,
        userId,
        JSON.stringify(text),
        clientMessageId == null ? "" : JSON.stringify(clientMessageId),
        firstDay,
        newEpoch(),
        this.#limits.roomLogLength,
      ],
    )) as [string, number, string, number, number, number];

    if (stored === 1) this.#onStored({ roomId, json: message, first: first === 1 });
    if (first === 1) await this.#rooms.show(roomId);
    const position = { roomId, epoch, seq, at };
    return readAdded(position, JSON.parse(message) as Record<string, unknown>);
  }

  /**
   * A page of the room's history, oldest first, and the room's position of the moment it was read. Without `first` and
   * `last` it ends at the newest message.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async page(userId: string, roomId: string, args: PageArgs): Promise<MessageConnectionRecord> {
    const request = pageRequest(args, "end", (cursor, argument) => decodeCursor(roomId, cursor, argument));
    const { from, limit, after, before } = request;
    const [near, far] =
      from === "start" ? [after?.score ?? "-inf", before?.score ?? "+inf"] : [before?.score ?? "+inf", after?.score ?? "-inf"];

    // The first reading goes out together with the check; what it found is not looked at before.
    const allowed = this.#rooms.check(userId, roomId);
    for (let count = limit + SPARE; ; count *= 4) {
      const reading = this.#read(roomId, near, far, from, count);
      await Promise.all([allowed, reading]);
      const { position, stretch } = await reading;
      const page = cutPage(roomId, request, count > LONGEST_STRETCH ? { ...stretch, cut: false } : stretch);
      if (!page) continue;
      return { ...toConnection(page, (message) => encodeCursor(roomId, message)), position: encodePosition(position) };
    }
  }

  /** The newest message of a room; null for an empty one. */
  async newest(roomId: string): Promise<StoredMessage | null> {
    const [member, score] = await this.#newestMember(roomId);
    return (member !== undefined && score !== undefined && readMember(roomId, member, score)) || null;
  }

  /** The rooms' ids, the one with the newest message first, rooms without messages last; one round trip. */
  async byNewest(roomIds: string[]): Promise<string[]> {
    const rooms = await Promise.all(
      roomIds.map(async (id) => {
        const [, score] = await this.#newestMember(id);
        return { id, time: score === undefined ? Number.NEGATIVE_INFINITY : Number(score) };
      }),
    );
    return rooms.sort((one, other) => (one.time > other.time ? -1 : 1)).map(({ id }) => id);
  }

  /**
   * Messages as they are added: to one room, or to every room of the user, now or later.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, HISTORY_RESET
   */
  follow(
    userId: string,
    { includeOwn, ...following }: Following & { includeOwn: boolean },
  ): Promise<RoomsFeed<AddedRecord, StoredMessage>> {
    return this.#follow(userId, following, ({ message }) => (includeOwn || message.fromId !== userId ? message : undefined));
  }

  /**
   * Everything that happens and is kept: in one room, or in every room of the user, now or later.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, HISTORY_RESET
   */
  followEvents(userId: string, following: Following): Promise<RoomsFeed<AddedRecord, AddedRecord>> {
    return this.#follow(userId, following, (event) => event);
  }

  async #follow<T extends object>(
    userId: string,
    { roomId, after }: Following,
    select: (event: AddedRecord) => T | undefined,
  ): Promise<RoomsFeed<AddedRecord, T>> {
    const positions = positionsByRoom(after ?? [], roomId);
    if (roomId != null) await this.#rooms.check(userId, roomId);
    else await Promise.all([...positions.keys()].map((room) => this.#rooms.check(userId, room, "after")));

    const feed = new RoomsFeed(this.#followed, select);
    try {
      if (roomId != null) {
        await feed.add(roomId, positions.get(roomId));
        return feed;
      }
      const beginnings: Promise<void>[] = [];
      const stop = await this.#rooms.onRooms(userId, (room, opened) => {
        const beginning = feed.add(room, positions.get(room) ?? opened);
        beginning.catch((error) => feed.end(error));
        beginnings.push(beginning);
      });
      feed.onEnd(stop);
      await Promise.all(beginnings.splice(0));
      return feed;
    } catch (error) {
      feed.end();
      throw error;
    }
  }

  #newestMember(roomId: string): Promise<string[]> {
    return this.#redis.zrevrange(keys.room(roomId), 0, 0, "WITHSCORES");
  }

  async #read(
    roomId: string,
    near: string,
    far: string,
    from: "start" | "end",
    count: number,
  ): Promise<{ position: Position; stretch: Stretch }> {
    const [seq, epoch, at, behind, flat] = (await this.#scripts.run(
      "messages_page",
      [keys.room(roomId), keys.meta(roomId)],
      [near, far, from === "start" ? "NEWER" : "OLDER", count],
    )) as [number, string, number, number, string[]];
    const members = Array.from({ length: flat.length / 2 }, (_, index) => flat.slice(2 * index, 2 * index + 2) as [string, string]);
    return { position: { roomId, epoch, seq, at }, stretch: { members, cut: members.length === count, behind } };
  }

  #checkText(text: string): void {
    const most = this.#limits.messageLength;
    if (text.trim() === "") throw badInput("text", "must not be empty.");
    if (text.length > most && [...text].length > most) throw badInput("text", `must be at most ${most} characters long.`);
    if (!text.isWellFormed()) throw badInput("text", "must be well-formed Unicode.");
  }
}

/** Random, 60 bits, hexadecimal. Mostly for nothing, so it must cost little: UUIDs come from a stock of random bytes. */
const newEpoch = () => randomUUID().replaceAll("-", "").slice(0, 16);

const LONGEST_CLIENT_MESSAGE_ID = 64;

function checkClientMessageId(id: string): void {
  if (id === "" || id.length > LONGEST_CLIENT_MESSAGE_ID || /\p{C}/u.test(id)) {
    throw badInput("clientMessageId", `must be 1 to ${LONGEST_CLIENT_MESSAGE_ID} characters without control characters, such as a UUID.`);
  }
}

/** @throws ChatError BAD_USER_INPUT for what is no position, for two of one room, and for another room's */
function positionsByRoom(after: string[], roomId: string | null | undefined): Map<string, Position> {
  const positions = new Map<string, Position>();
  for (const text of after) {
    const position = decodePosition(text, "after");
    if (roomId != null && position.roomId !== roomId) throw badInput("after", `must be a position of room ${roomId}.`);
    if (positions.has(position.roomId)) throw badInput("after", `has two positions of room ${position.roomId}.`);
    positions.set(position.roomId, position);
  }
  return positions;
}

/** What followers are told of an event; undefined for one of a kind that is not known here. */
export function readRoomEvent(event: RoomEvent, position: Position): AddedRecord | undefined {
  if (!isMessageAdded(event)) return undefined;
  const message = readAdded(position, event.message);
  return { kind: event.kind, position: message.position as string, roomId: position.roomId, at: new Date(event.at / 1_000), message };
}

/** Whoever can write to this Redis may have made the event. */
function isMessageAdded(event: RoomEvent): event is MessageAdded {
  const { id, from, message } = (event as Partial<MessageAdded>).message ?? {};
  return event.kind === "message.added" && [id, from, message].every((value) => typeof value === "string");
}

/** A message as its event brings it. */
function readAdded(position: Position, message: Record<string, unknown>): StoredMessage {
  const { id, from, message: text, clientMessageId } = message as { id: string; from: string; message: string; clientMessageId?: string };
  const micros = Number(id.slice(id.lastIndexOf("/") + 1));
  return {
    id,
    roomId: position.roomId,
    fromId: from,
    text,
    sentAt: new Date(micros / 1_000),
    clientMessageId: clientMessageId ?? null,
    position: encodePosition(position),
  };
}
