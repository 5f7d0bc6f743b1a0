import { type Connection, type PageArgs, type PageRequest, pageRequest, toConnection } from "../api/relay.js";
import type { Feed } from "../log/feed.js";
import { logKeys } from "../log/keys.js";
import { encodePosition, type Position } from "../log/position.js";
import type { RoomScripts } from "../log/room-scripts.js";
import type { Lenient } from "../redis/connect.js";
import type { RedisDays } from "../redis/days.js";
import type { ScriptCalls } from "../redis/scripts.js";
import type { RoomStore } from "../rooms/room.store.js";
import type { Following, RoomEventStore } from "../rooms/room-event.store.js";
import type { RoomListStore } from "../rooms/room-list.store.js";
import { badInput, refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import type { LimitedLog } from "../util/limited-log.js";
import { messageKeys } from "./keys.js";
import { type MessageId, parseMessageId, readMessageId } from "./message-id.js";
import {
  type CutPage,
  cutPage,
  cutWindow,
  decodeCursor,
  encodeCursor,
  type HistoryRange,
  type Placed,
  type RawMessage,
  readPlaced,
} from "./page.js";
import { type Place, type StoredMessage, secondsOf } from "./stored-message.js";

interface Parts {
  scripts: RoomScripts;
  days: RedisDays;
  rooms: RoomStore;
  roomList: Pick<RoomListStore, "note">;
  roomEvents: Pick<RoomEventStore, "follow">;
  lenient: Lenient;
  limitedLog: LimitedLog;
}

/** A page, or a window around a message, with `first` or `last` as its length. */
export interface MessagePageRequest extends PageArgs {
  around?: string | null | undefined;
}

/** A message and the messages around it, oldest first. */
export interface Context {
  before: StoredMessage[];
  message: StoredMessage;
  after: StoredMessage[];
}

export type MessageConnectionRecord = Connection<Placed> & { position: string };

const DAY = 86_400; // seconds

export const SPARE = 8; // messages read beyond a page, so that messages of equal score seldom need a second read
const LONGEST_RANGE = 10_000; // members; only an attacker writes more of one score, or more unreadable ones in a row
const LARGEST_RANGE = 4 * 1024 * 1024; // bytes that one call reads at most
const MOST_AT_ONCE = 1_000; // members that one call reads at most
const MOST_RESTARTS = 3; // for a page that takes several calls
const LATER = 50; // messages after the one whose context is read
const AT_ONCE = 400; // messages per portion when the whole history is read
export const CANDIDATES = 3; // members read for a room's newest message, as others may have added some that are not messages

/** The messages of rooms: history, and new ones as they are added. */
export class MessageStore {
  readonly #scripts: RoomScripts;
  readonly #days: RedisDays;
  readonly #rooms: RoomStore;
  readonly #list: Pick<RoomListStore, "note">;
  readonly #roomEvents: Pick<RoomEventStore, "follow">;
  readonly #lenient: Lenient;
  readonly #log: LimitedLog;

  constructor({ scripts, days, rooms, roomList, roomEvents, lenient, limitedLog }: Parts) {
    this.#scripts = scripts;
    this.#days = days;
    this.#rooms = rooms;
    this.#list = roomList;
    this.#roomEvents = roomEvents;
    this.#lenient = lenient;
    this.#log = limitedLog;
  }

  /**
   * Messages as they are added: to one room, or to every room of the user, now or later.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, HISTORY_RESET
   */
  follow(userId: UserId, { includeOwn, ...following }: Following & { includeOwn: boolean }): Promise<Feed<StoredMessage>> {
    return this.#roomEvents.follow(userId, following, (event) =>
      event.kind === "message.added" && (includeOwn || event.message.fromId !== userId) ? event.message : undefined,
    );
  }

  /**
   * Returns a message that the user may read.
   * @throws ChatError BAD_USER_INPUT that names the argument, NOT_A_MEMBER, NOT_FOUND
   */
  async readable(userId: UserId, id: string, argument: string): Promise<Placed> {
    const { roomId } = readMessageId(id, argument);
    await this.#rooms.check(roomId, userId, argument);
    const [message] = await this.byIds([id]);
    if (!message) throw refusal("NOT_FOUND", `There is no message ${id}.`);
    return message;
  }

  /**
   * A message, `count` messages before it, and some after it; undefined if it no longer exists.
   * @throws ChatError NOT_A_MEMBER, NOT_FOUND
   */
  async context(userId: UserId, messageId: string, count: number): Promise<Context | undefined> {
    const [message] = await this.byIds([messageId]);
    if (!message) return undefined;
    const [before, after] = await Promise.all([
      this.#page(message.roomId, userId, { from: "end", limit: count, after: undefined, before: message }),
      this.#page(message.roomId, userId, { from: "start", limit: LATER, after: message, before: undefined }),
    ]);
    return { before: before.page.nodes, message, after: after.page.nodes };
  }

  /**
   * A page of the room's history, oldest first, and the room's position at the moment of the read. Without `first` and `last` the page ends
   * at the newest message.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async page(roomId: RoomId, userId: UserId, { around, ...args }: MessagePageRequest): Promise<MessageConnectionRecord> {
    if (around != null) return this.#window(roomId, userId, around, args);
    const request = pageRequest(args, "end", (cursor, argument) => decodeCursor(roomId, cursor, argument));
    const { page, position } = await this.#page(roomId, userId, request);
    const newest = request.from === "end" && !request.before ? page.nodes.at(-1) : undefined;
    // This read may be the first to find a demo app's message.
    if (newest && parseMessageId(newest.id)?.micros === undefined) this.noteSpoken(roomId, this.#spokenAt(newest.score));
    return this.#connection(position, page);
  }

  /**
   * The room's whole history, oldest first, in portions of some hundreds. A message that exists throughout comes once; a message that is
   * added or removed during the read may or may not come. Each portion checks again that the user may read the room.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async *history(roomId: RoomId, userId: UserId): AsyncGenerator<Placed[], void, void> {
    for (let after: Placed | undefined; ; ) {
      const { page } = await this.#page(roomId, userId, { from: "start", limit: AT_ONCE, after, before: undefined });
      yield page.nodes;
      after = page.nodes.at(-1);
      if (!page.hasNextPage || !after) return;
    }
  }

  async #page(roomId: RoomId, userId: UserId, request: PageRequest<Place>): Promise<{ page: CutPage; position: Position }> {
    const { from, limit, after, before } = request;
    const [near, far] =
      from === "start" ? [after?.score ?? "-inf", before?.score ?? "+inf"] : [before?.score ?? "+inf", after?.score ?? "-inf"];

    // The first read is sent together with the check, and its result is not used before the check passes.
    const allowed = this.#rooms.check(roomId, userId);
    const reading = this.#read(roomId, near, far, from, limit + SPARE);
    await Promise.all([allowed, reading]);
    let { position, range } = await reading;
    for (let restarts = 0; ; ) {
      const page = cutPage(roomId, request, range);
      if (page) return { page: { ...page, unreadable: page.unreadable + range.skipped }, position };
      const more = await this.#more(roomId, range, far, from);
      if (isSame(more.position, position) || restarts === MOST_RESTARTS) range = more.range;
      else {
        // A page shows one moment. The room has changed since the first call, so the page is read again, in larger portions.
        ({ position, range } = await this.#read(roomId, near, far, from, Math.min(4 * range.members.length, MOST_AT_ONCE)));
        restarts++;
      }
    }
  }

  /** A message, half of the page before it and half after it; `first` puts the extra message after it, `last` before it. */
  async #window(roomId: RoomId, userId: UserId, around: string, args: PageArgs): Promise<MessageConnectionRecord> {
    const { from, limit, after, before } = pageRequest(args, "end", (_cursor, argument) => argument);
    const misplaced = after ?? before;
    if (misplaced) throw badInput(misplaced, "cannot be combined with `around`.");
    if (limit === 0) throw badInput(from === "start" ? "first" : "last", "must be from 1 to 100 with `around`.");
    const { id, score, roomId: named } = readMessageId(around, "around");
    const gone = () => refusal("NOT_FOUND", `There is no message ${id} in this room.`);
    const half = { smaller: Math.floor((limit - 1) / 2), larger: Math.ceil((limit - 1) / 2) };
    const request = from === "start" ? { id, before: half.smaller, after: half.larger } : { id, before: half.larger, after: half.smaller };

    await this.#rooms.check(roomId, userId);
    if (named !== roomId) throw gone();
    const [seq, epoch, at, ...sides] = await this.#lenient(
      this.#scripts.onRoom(
        "messages_around",
        roomId,
        { score, count: half.larger + SPARE, size: LARGEST_RANGE },
        { reactions: messageKeys.reactions(roomId) },
      ),
      [0, "", 0, NOTHING, NOTHING],
    );
    let [older, newer] = sides.map((side) => toRange(side)) as [HistoryRange, HistoryRange];
    for (;;) {
      const window = cutWindow(roomId, request, score, older, newer);
      if (window === "gone") throw gone();
      const unreadable = older.skipped + newer.skipped;
      if (window) return this.#connection({ roomId, seq, epoch, at }, { ...window, unreadable: window.unreadable + unreadable });
      if (older.cut) older = (await this.#more(roomId, older, "-inf", "end")).range;
      if (newer.cut) newer = (await this.#more(roomId, newer, "+inf", "start")).range;
    }
  }

  #connection(position: Position, page: CutPage): MessageConnectionRecord {
    const { roomId } = position;
    if (page.unreadable > 0)
      this.#log.warn(`unreadable in ${roomId}`, { roomId, members: page.unreadable }, "found members that are not messages; skipping them");
    return { ...toConnection(page, (message) => encodeCursor(roomId, message)), position: encodePosition(position) };
  }

  /** The messages with these ids, null for those that do not exist; one round trip. The caller checks access. */
  async byIds(ids: readonly string[]): Promise<(Placed | null)[]> {
    const found = new Map<string, Placed | undefined>();
    const byRoom = new Map<RoomId, MessageId[]>();
    for (const id of ids.map(parseMessageId)) if (id) byRoom.set(id.roomId, [...(byRoom.get(id.roomId) ?? []), id]);
    await Promise.all(
      [...byRoom].map(async ([roomId, wanted]) => {
        const raw = await this.#lenient(
          this.#scripts.run(
            "messages_find",
            { room: logKeys.room(roomId), reactions: messageKeys.reactions(roomId) },
            { idsAndScores: wanted.flatMap(({ id, score }) => [id, score]) },
          ),
          [],
        );
        for (const [index, { id }] of wanted.entries()) {
          const message = raw[index];
          if (message) found.set(id, readPlaced(roomId, message));
        }
      }),
    );
    return ids.map((id) => found.get(id) ?? null);
  }

  /** The positions of the events that added these messages; null if the room's log no longer has the event. One round trip. */
  async addedAt(ids: readonly string[]): Promise<(string | null)[]> {
    const byRoom = new Map<RoomId, string[]>();
    for (const id of ids.map(parseMessageId)) if (id) byRoom.set(id.roomId, [...(byRoom.get(id.roomId) ?? []), id.id]);
    const found = new Map<string, string>();
    await Promise.all(
      [...byRoom].map(async ([roomId, wanted]) => {
        const inOrder = wanted.map((id) => parseMessageId(id) as MessageId).sort((one, other) => microsOf(one) - microsOf(other));
        const events = await this.#scripts.run(
          "messages_locate",
          { log: logKeys.log(roomId), meta: logKeys.meta(roomId) },
          { idsAndTimes: inOrder.flatMap((id) => [id.id, microsOf(id)]) },
        );
        for (const [index, event] of events.entries()) {
          const id = inOrder[index]?.id;
          if (event && id !== undefined) found.set(id, encodePosition({ roomId, seq: event[0], epoch: event[1], at: event[2] }));
        }
      }),
    );
    return ids.map((id) => found.get(id) ?? null);
  }

  /** The newest message of each room, null for an empty room; one round trip. */
  newest(roomIds: readonly RoomId[]): Promise<(Placed | null)[]> {
    return Promise.all(
      roomIds.map(async (roomId) => {
        const { range } = await this.#read(roomId, "+inf", "-inf", "end", CANDIDATES);
        for (const raw of range.members) {
          const message = readPlaced(roomId, raw);
          if (message) return message;
        }
        return null;
      }),
    );
  }

  /** When the last message of each room was sent, in microseconds since 1970; 0 for an empty room. */
  async lastSpoken(roomIds: readonly RoomId[], newest: (roomId: RoomId) => Promise<Placed | null>): Promise<number[]> {
    return (await Promise.all(roomIds.map(newest))).map((message) => (message ? this.#spokenAt(message.score) : 0));
  }

  /** Only the order of room lists depends on this, and the next message corrects it, so no send fails or waits because of it. */
  noteSpoken(roomId: RoomId, at: number): void {
    this.#list.note(roomId, at).catch(() => {});
  }

  /** The time of a score in µs, at most the end of tomorrow: a demo app stores any date, and a far one must not keep its room first. */
  #spokenAt(score: string): number {
    const latest = (this.#days.expected() + 2) * DAY;
    return Math.round(Math.min(Math.max(secondsOf(score), 0), latest) * 1_000_000);
  }

  async #read(
    roomId: RoomId,
    near: string,
    far: string,
    from: "start" | "end",
    count: number,
    offset = 0,
  ): Promise<{ position: Position; range: HistoryRange }> {
    const [seq, epoch, at, behind, raw] = await this.#lenient(
      this.#scripts.onRoom(
        "messages_page",
        roomId,
        { near, far, direction: from === "start" ? "NEWER" : "OLDER", offset, count, size: LARGEST_RANGE },
        { reactions: messageKeys.reactions(roomId) },
      ),
      [0, "", 0, 0, NOTHING],
    );
    return { position: { roomId, epoch, seq, at }, range: toRange(raw, behind) };
  }

  /** Continues a range where it was cut. Each call's cost to Redis is bounded, however many members are not messages. */
  async #more(
    roomId: RoomId,
    range: HistoryRange,
    far: string,
    from: "start" | "end",
  ): Promise<{ position: Position; range: HistoryRange }> {
    const { known, near, offset } = continuation(range);
    const { position, range: more } = await this.#read(roomId, near, far, from, MOST_AT_ONCE, offset);
    const members = [...known, ...more.members];
    const skipped = range.skipped + more.skipped;
    return {
      position,
      range: { ...more, members, skipped, cut: more.cut && members.length + skipped < LONGEST_RANGE, behind: range.behind },
    };
  }
}

/** A range as the scripts return it: members with scores and reactions, the score and offset to continue at, and how many were skipped. */
type RawRange = ScriptCalls["messages_page"]["result"][4];

const NOTHING: RawRange = [[], "", 0, 0];

function toRange([flat, near, offset, skipped]: RawRange, behind = 0): HistoryRange {
  return { members: rawMessages(flat), cut: near !== "", next: { near, offset }, behind, skipped };
}

/** Where to continue, and the members to keep. It prefers a score to an offset, because members may move before the next call. */
function continuation({ members, next }: HistoryRange): { known: RawMessage[]; near: string; offset: number } {
  const last = members.at(-1)?.[1];
  if (next.offset === 0 || last === undefined || members[0]?.[1] === last) return { known: members, ...next };
  return { known: members.filter(([, score]) => score !== last), near: last, offset: 0 };
}

/** When a message's event was added to the log, in microseconds, provided that the message's date is right. */
const microsOf = ({ micros, score }: MessageId): number => micros ?? Math.round(Number(score.replace("inf", "0")) * 1_000_000);

const isSame = (one: Position, other: Position) => one.epoch === other.epoch && one.seq === other.seq;

/** Splits the flat list of a room's members that the scripts return. */
function rawMessages(flat: string[]): RawMessage[] {
  return Array.from({ length: flat.length / 3 }, (_, index) => flat.slice(3 * index, 3 * index + 3) as RawMessage);
}
