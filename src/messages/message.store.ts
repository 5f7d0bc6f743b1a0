import { isGroup } from "../api/ids.js";
import { type Connection, type PageArgs, type PageRequest, pageRequest, toConnection } from "../api/relay.js";
import type { Feed } from "../log/feed.js";
import { logKeys } from "../log/keys.js";
import { encodePosition, type Position } from "../log/position.js";
import type { Replicas } from "../log/replicas.js";
import { type RoomScripts, UNHEARD } from "../log/room-scripts.js";
import type { Lenient } from "../redis/connect.js";
import type { RedisDays } from "../redis/days.js";
import type { ScriptCalls } from "../redis/scripts.js";
import { roomKeys } from "../rooms/keys.js";
import type { RoomStore } from "../rooms/room.store.js";
import type { Following, RoomEventStore } from "../rooms/room-event.store.js";
import type { RoomListStore } from "../rooms/room-list.store.js";
import { hasControls, isBlank, isLonger, withoutControls } from "../util/characters.js";
import { badInput, checkClientId, refusal } from "../util/errors.js";
import type { LimitedLog } from "../util/limited-log.js";
import type { IncompleteReasonName } from "./incomplete.type.js";
import { messageKeys } from "./keys.js";
import type { MentionStore } from "./mention.store.js";
import { type MessageId, parseMessageId, readMessageId } from "./message-id.js";
import {
  type CutPage,
  cutPage,
  cutWindow,
  decodeCursor,
  encodeCursor,
  type Placed,
  type RawMessage,
  readPlaced,
  type Stretch,
} from "./page.js";
import type { Questions } from "./questions.js";
import type { Retention } from "./retention.js";
import { digestOf, type Place, readOurs, type StoredMessage, secondsOf } from "./stored-message.js";

export interface Sending {
  roomId: string;
  text: string;
  clientMessageId?: string | null | undefined;
  /** The id of a message in the same room. */
  replyTo?: string | null | undefined;
}

/** A message as this server has stored it. */
export interface Stored {
  roomId: string;
  /** The member of the room's sorted set. */
  json: string;
  /** Whether it is the room's first message. */
  first: boolean;
}

interface Parts {
  scripts: RoomScripts;
  days: RedisDays;
  replicas: Pick<Replicas, "confirm">;
  rooms: RoomStore;
  roomList: Pick<RoomListStore, "note">;
  roomEvents: Pick<RoomEventStore, "follow">;
  lenient: Lenient;
  limitedLog: LimitedLog;
  mentions: MentionStore;
  questions: Questions;
}

/** A page, or a window around a message, with `first` or `last` as its length. */
export interface MessagePageRequest extends PageArgs {
  around?: string | null | undefined;
}

/** An answer of the assistant, complete or partial. */
export interface Answer {
  roomId: string;
  /** The entry of `asked`: the question, and the user who asked it. */
  entry: string;
  questionId: string;
  /** The clientMessageId of the message, which prevents a second answer to the same question. */
  answerId: string;
  /** Empty if nothing was written; then no message is stored. */
  text: string;
  state: "DONE" | "INCOMPLETE" | "CANCELLED";
  /** Why the text is incomplete. */
  incomplete: IncompleteReasonName | null;
  /** The same as a sentence for users, or empty. */
  problem: string;
  /** The fencing token of the worker that holds the room. */
  fence: string;
}

/** A message and the messages around it, oldest first. */
export interface Context {
  before: StoredMessage[];
  message: StoredMessage;
  after: StoredMessage[];
}

export type MessageConnectionRecord = Connection<Placed> & { position: string };

const DAY = 86_400; // seconds
const DAYS_BEFORE = 2; // how many days before today the first of a script's day keys is

/** What a script returns if its keys do not include today and yesterday. */
type WrongDays = [day: number];

/** What `message_send` and `assistant_answer` return otherwise. */
type Sent = Exclude<ScriptCalls["message_send"]["result"], WrongDays>;
type Answered = Exclude<ScriptCalls["assistant_answer"]["result"], WrongDays>;

export const SPARE = 8; // messages read beyond a page, so that messages of equal score seldom need a second read
const LONGEST_STRETCH = 10_000; // members; only an attacker writes more of one score, or more unreadable ones in a row
const LARGEST_STRETCH = 4 * 1024 * 1024; // bytes that one call reads at most
const MOST_AT_ONCE = 1_000; // members that one call reads at most
const MOST_RESTARTS = 3; // for a page that takes several calls
const LATER = 50; // messages after the one whose context is read
const AT_ONCE = 400; // messages per portion when the whole history is read
export const CANDIDATES = 3; // members read for a room's newest message, as others may have added some that are not messages

/** The messages of rooms: sending and history. */
export class MessageStore {
  readonly #scripts: RoomScripts;
  readonly #rooms: RoomStore;
  readonly #list: Pick<RoomListStore, "note">;
  readonly #lenient: Lenient;
  readonly #log: LimitedLog;
  readonly #mentions: MentionStore;
  readonly #questions: Questions;
  readonly #messageLength: number;
  readonly #days: RedisDays;
  readonly #retention: Retention;
  readonly #replicas: Pick<Replicas, "confirm">;
  readonly #roomEvents: Pick<RoomEventStore, "follow">;
  readonly #storedListeners: ((stored: Stored) => void)[] = [];
  readonly #sentListeners: ((userId: string, roomId: string) => void)[] = [];

  constructor(parts: Parts, { messageLength, ...retention }: { messageLength: number } & Retention) {
    this.#scripts = parts.scripts;
    this.#days = parts.days;
    this.#replicas = parts.replicas;
    this.#rooms = parts.rooms;
    this.#list = parts.roomList;
    this.#roomEvents = parts.roomEvents;
    this.#lenient = parts.lenient;
    this.#log = parts.limitedLog;
    this.#mentions = parts.mentions;
    this.#questions = parts.questions;
    this.#messageLength = messageLength;
    this.#retention = retention;
  }

  /** Calls the listener once for each message that this server stores. */
  onStored(listener: (stored: Stored) => void): void {
    this.#storedListeners.push(listener);
  }

  /** Calls the listener after each send of a user over this server, repeated ones included. */
  onSent(listener: (userId: string, roomId: string) => void): void {
    this.#sentListeners.push(listener);
  }

  /**
   * Messages as they are added: to one room, or to every room of the user, now or later.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, HISTORY_RESET
   */
  follow(userId: string, { includeOwn, ...following }: Following & { includeOwn: boolean }): Promise<Feed<StoredMessage>> {
    return this.#roomEvents.follow(userId, following, (event) =>
      event.kind === "message.added" && (includeOwn || event.message.fromId !== userId) ? event.message : undefined,
    );
  }

  /**
   * Stores a message and notifies the room's subscribers. With a clientMessageId it is idempotent for at least 24 hours: a retry returns
   * the message in its current state, or as it was sent if it no longer exists. A message that asks the assistant is refused while too many
   * questions wait.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN, CLIENT_MESSAGE_ID_REUSED, RATE_LIMITED
   */
  async send(userId: string, { roomId, text, clientMessageId, replyTo }: Sending): Promise<StoredMessage> {
    checkText(text, this.#messageLength);
    if (clientMessageId != null) checkClientId(clientMessageId, "clientMessageId");
    const answered = replyTo == null ? undefined : readMessageId(replyTo, "replyTo");
    await this.#rooms.check(userId, roomId);
    if (answered && answered.roomId !== roomId) throw refusal("NOT_FOUND", `There is no message ${answered.id} in this room to reply to.`);

    const { mentions, quiet } = await this.#mentions.by(userId, text, roomId);
    const asks = await this.#questions.isAsked({ fromId: userId, roomId, mentionIds: mentions, replyToId: answered?.id ?? null }, this);
    if (asks) await this.#questions.admit(userId, roomId);

    const [message, seq, epoch, at, untold, stored, first] = await this.#withDays<Sent>((firstDay) =>
      this.#scripts.onRoom(
        "message_send",
        roomId,
        {
          roomId,
          from: userId,
          text: JSON.stringify(text),
          clientId: clientMessageId == null ? "" : JSON.stringify(clientMessageId),
          firstDay,
          mentions,
          replyTo: answered?.id ?? "",
          replyScore: answered?.score ?? "",
          historyLimit: this.#retention.historyLimit,
          historyDays: this.#retention.historyDays,
          group: isGroup(roomId),
          asks,
          quiet,
        },
        storeKeys(roomId, firstDay),
      ),
    );

    if (stored === 1) this.#tellStored({ roomId, json: message, first: first === 1 });
    this.#noteSpoken(roomId, at);
    if (untold > 0) await this.#rooms.show(roomId, untold);
    // Also on a retry: the server of the first call may have died before this.
    if (asks) await this.#questions.wake(roomId);
    await this.#replicas.confirm(roomId, { epoch, seq, at });
    for (const listener of this.#sentListeners) listener(userId, roomId);
    const position = encodePosition({ roomId, epoch, seq, at });
    const sent = { ...(readOurs(roomId, JSON.parse(message) as Record<string, unknown>) as StoredMessage), position };
    if (stored === 1) return sent;
    const [now] = await this.byIds([sent.id]);
    return now ? { ...now, position } : sent;
  }

  /**
   * Ends an answer of the assistant: stores it as a message, once, and completes the question.
   * @returns false if another worker holds the room
   */
  async answer({ roomId, entry, questionId, answerId, text, state, incomplete, problem, fence }: Answer): Promise<boolean> {
    const question = readMessageId(questionId, "replyTo");
    const stored = await this.#withDays<Answered>((firstDay) =>
      this.#scripts.onRoom(
        "assistant_answer",
        roomId,
        {
          roomId,
          text: text === "" ? "" : JSON.stringify(withoutControls(text)),
          clientId: JSON.stringify(answerId),
          firstDay,
          replyTo: question.id,
          replyScore: question.score,
          historyLimit: this.#retention.historyLimit,
          historyDays: this.#retention.historyDays,
          group: isGroup(roomId),
          fence,
          entry,
          state,
          written: text,
          incomplete: text === "" ? "" : (incomplete ?? ""),
          problem,
        },
        {
          ...storeKeys(roomId, firstDay),
          reply: messageKeys.reply(roomId),
          writing: messageKeys.writing(roomId),
          withdrawn: messageKeys.withdrawn(roomId),
        },
      ),
    );
    if (stored === "LOST") return false;
    const [message, , , at, untold = 0, , first] = stored;
    if (message !== undefined) this.#tellStored({ roomId, json: message, first: first === 1 });
    if (at !== undefined) this.#noteSpoken(roomId, at);
    if (untold > 0) await this.#rooms.show(roomId, untold);
    return true;
  }

  /**
   * Queues a question of the room again, unless it is waiting or was answered within a day.
   * @param retry the user who asks again and the id that they gave the call, which makes it idempotent
   * @returns whether the question is waiting now
   */
  async askAgain(
    { roomId, entry, answerId }: Pick<Answer, "roomId" | "entry" | "answerId">,
    retry?: { userId: string; id: string },
  ): Promise<boolean> {
    const answered = `${this.#questions.id} ${JSON.stringify(answerId)}`;
    const by = retry ? `${retry.userId} retry/${JSON.stringify(retry.id)}` : "";
    const isWaiting = await this.#withDays<0 | 1>((firstDay) =>
      this.#scripts.run(
        "assistant_ask_again",
        { asked: logKeys.asked(roomId), withdrawn: messageKeys.withdrawn(roomId), ...sentKeys(roomId, firstDay) },
        { entry, answer: answered, retry: by, firstDay },
      ),
    );
    return isWaiting === 1;
  }

  /**
   * Returns a message that the user may read.
   * @throws ChatError BAD_USER_INPUT that names the argument, NOT_A_MEMBER, NOT_FOUND
   */
  async readable(userId: string, id: string, argument: string): Promise<Placed> {
    const { roomId } = readMessageId(id, argument);
    await this.#rooms.check(userId, roomId, argument);
    const [message] = await this.byIds([id]);
    if (!message) throw refusal("NOT_FOUND", `There is no message ${id}.`);
    return message;
  }

  /**
   * Runs a script that looks for earlier sends under the days around today. Redis's clock decides which day it is: if this server is wrong
   * about it, the script changes nothing and returns the day, and the server runs it again with the right keys.
   */
  async #withDays<Result>(run: (firstDay: number) => Promise<Result | WrongDays>): Promise<Result> {
    for (;;) {
      const result = await run(this.#days.expected() - DAYS_BEFORE);
      if (!isWrongDays(result)) return result;
      this.#days.learn(result[0]);
    }
  }

  /**
   * A message, `count` messages before it, and some after it; undefined if it no longer exists.
   * @throws ChatError NOT_A_MEMBER, NOT_FOUND
   */
  async context(userId: string, messageId: string, count: number): Promise<Context | undefined> {
    const [message] = await this.byIds([messageId]);
    if (!message) return undefined;
    const [before, after] = await Promise.all([
      this.#page(userId, message.roomId, { from: "end", limit: count, after: undefined, before: message }),
      this.#page(userId, message.roomId, { from: "start", limit: LATER, after: message, before: undefined }),
    ]);
    return { before: before.page.nodes, message, after: after.page.nodes };
  }

  /**
   * A page of the room's history, oldest first, and the room's position at the moment of the read. Without `first` and `last` the page ends
   * at the newest message.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async page(userId: string, roomId: string, { around, ...args }: MessagePageRequest): Promise<MessageConnectionRecord> {
    if (around != null) return this.#window(userId, roomId, around, args);
    const request = pageRequest(args, "end", (cursor, argument) => decodeCursor(roomId, cursor, argument));
    const { page, position } = await this.#page(userId, roomId, request);
    const newest = request.from === "end" && !request.before ? page.nodes.at(-1) : undefined;
    // This read may be the first to find a demo app's message.
    if (newest && parseMessageId(newest.id)?.micros === undefined) this.#noteSpoken(roomId, this.#spokenAt(newest.score));
    return this.#connection(position, page);
  }

  /**
   * The room's whole history, oldest first, in portions of some hundreds. A message that exists throughout comes once; a message that is
   * added or removed during the read may or may not come. Each portion checks again that the user may read the room.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async *history(userId: string, roomId: string): AsyncGenerator<Placed[], void, void> {
    for (let after: Placed | undefined; ; ) {
      const { page } = await this.#page(userId, roomId, { from: "start", limit: AT_ONCE, after, before: undefined });
      yield page.nodes;
      after = page.nodes.at(-1);
      if (!page.hasNextPage || !after) return;
    }
  }

  async #page(userId: string, roomId: string, request: PageRequest<Place>): Promise<{ page: CutPage; position: Position }> {
    const { from, limit, after, before } = request;
    const [near, far] =
      from === "start" ? [after?.score ?? "-inf", before?.score ?? "+inf"] : [before?.score ?? "+inf", after?.score ?? "-inf"];

    // The first read is sent together with the check, and its result is not used before the check passes.
    const allowed = this.#rooms.check(userId, roomId);
    const reading = this.#read(roomId, near, far, from, limit + SPARE);
    await Promise.all([allowed, reading]);
    let { position, stretch } = await reading;
    for (let restarts = 0; ; ) {
      const page = cutPage(roomId, request, stretch);
      if (page) return { page: { ...page, unreadable: page.unreadable + stretch.skipped }, position };
      const more = await this.#more(roomId, stretch, far, from);
      if (isSame(more.position, position) || restarts === MOST_RESTARTS) stretch = more.stretch;
      else {
        // A page shows one moment. The room has changed since the first call, so the page is read again, in larger portions.
        ({ position, stretch } = await this.#read(roomId, near, far, from, Math.min(4 * stretch.members.length, MOST_AT_ONCE)));
        restarts++;
      }
    }
  }

  /** A message, half of the page before it and half after it; `first` puts the extra message after it, `last` before it. */
  async #window(userId: string, roomId: string, around: string, args: PageArgs): Promise<MessageConnectionRecord> {
    const { from, limit, after, before } = pageRequest(args, "end", (_cursor, argument) => argument);
    const misplaced = after ?? before;
    if (misplaced) throw badInput(misplaced, "cannot be combined with `around`.");
    if (limit === 0) throw badInput(from === "start" ? "first" : "last", "must be from 1 to 100 with `around`.");
    const { id, score, roomId: named } = readMessageId(around, "around");
    const gone = () => refusal("NOT_FOUND", `There is no message ${id} in this room.`);
    const half = { smaller: Math.floor((limit - 1) / 2), larger: Math.ceil((limit - 1) / 2) };
    const request = from === "start" ? { id, before: half.smaller, after: half.larger } : { id, before: half.larger, after: half.smaller };

    await this.#rooms.check(userId, roomId);
    if (named !== roomId) throw gone();
    const [seq, epoch, at, ...sides] = await this.#lenient(
      this.#scripts.onRoom(
        "messages_around",
        roomId,
        { score, count: half.larger + SPARE, size: LARGEST_STRETCH },
        { reactions: messageKeys.reactions(roomId) },
      ),
      [0, "", 0, NOTHING, NOTHING],
    );
    let [older, newer] = sides.map((side) => toStretch(side)) as [Stretch, Stretch];
    for (;;) {
      const window = cutWindow(roomId, request, score, older, newer);
      if (window === "gone") throw gone();
      const unreadable = older.skipped + newer.skipped;
      if (window) return this.#connection({ roomId, seq, epoch, at }, { ...window, unreadable: window.unreadable + unreadable });
      if (older.cut) older = (await this.#more(roomId, older, "-inf", "end")).stretch;
      if (newer.cut) newer = (await this.#more(roomId, newer, "+inf", "start")).stretch;
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
    const byRoom = new Map<string, MessageId[]>();
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
    const byRoom = new Map<string, string[]>();
    for (const id of ids.map(parseMessageId)) if (id) byRoom.set(id.roomId, [...(byRoom.get(id.roomId) ?? []), id.id]);
    const found = new Map<string, string>();
    await Promise.all(
      [...byRoom].map(async ([roomId, wanted]) => {
        const inOrder = wanted.map((id) => parseMessageId(id) as MessageId).sort((one, other) => microsOf(one) - microsOf(other));
        const events = await this.#scripts.run(
          "log_find",
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
  newest(roomIds: readonly string[]): Promise<(Placed | null)[]> {
    return Promise.all(
      roomIds.map(async (roomId) => {
        const { stretch } = await this.#read(roomId, "+inf", "-inf", "end", CANDIDATES);
        for (const raw of stretch.members) {
          const message = readPlaced(roomId, raw);
          if (message) return message;
        }
        return null;
      }),
    );
  }

  /** When the last message of each room was sent, in microseconds since 1970; 0 for an empty room. */
  async lastSpoken(roomIds: readonly string[], newest: (roomId: string) => Promise<Placed | null>): Promise<number[]> {
    return (await Promise.all(roomIds.map(newest))).map((message) => (message ? this.#spokenAt(message.score) : 0));
  }

  #tellStored(stored: Stored): void {
    for (const listener of this.#storedListeners) listener(stored);
  }

  /** Only the order of room lists depends on this, and the next message corrects it, so no send fails or waits because of it. */
  #noteSpoken(roomId: string, at: number): void {
    this.#list.note(roomId, at).catch(() => {});
  }

  /** The time of a score in µs, at most the end of tomorrow: a demo app stores any date, and a far one must not keep its room first. */
  #spokenAt(score: string): number {
    const latest = (this.#days.expected() + 2) * DAY;
    return Math.round(Math.min(Math.max(secondsOf(score), 0), latest) * 1_000_000);
  }

  /**
   * Adds the messages that a demo app stored in a room and announced on its channel to the room's log, so that subscribers get them.
   * @param heard the score of the announced messages, and their members in the order of the announcements; undefined if it announced none
   * @param opening whether the app announced the room as new
   * @returns whether the app has stored messages that it has not announced yet: then the caller calls again in a moment
   */
  async adopt(roomId: string, heard: { score: string; members: readonly string[] } | undefined, opening: boolean): Promise<boolean> {
    const authorOf = (member: string, score: string) => readPlaced(roomId, [member, score, ""])?.fromId;
    const opened = heard !== undefined && (await this.#rooms.openForDemos(roomId, authorOf));
    const opens = opening && (await this.#rooms.isOpen(roomId)); // else anyone who can publish could make the server create any keys
    const adopted = await this.#scripts.onRoomAtOnce("messages_adopt", roomId, {
      heard: heard?.score ?? "",
      opening: opens,
      order: (heard?.members ?? []).map(digestOf),
    });
    if (adopted === UNHEARD) return true;
    const [isNew, questions, unnamed, last] = adopted;
    if (heard && last > 0) this.#noteSpoken(roomId, last);
    if (isNew === 1 || opened) await this.#rooms.show(roomId, 1);
    if (questions > 0) await this.#questions.wake(roomId);
    if (unnamed > 0) await this.#mentions.find(roomId);
    return false;
  }

  async #read(
    roomId: string,
    near: string,
    far: string,
    from: "start" | "end",
    count: number,
    offset = 0,
  ): Promise<{ position: Position; stretch: Stretch }> {
    const [seq, epoch, at, behind, raw] = await this.#lenient(
      this.#scripts.onRoom(
        "messages_page",
        roomId,
        { near, far, direction: from === "start" ? "NEWER" : "OLDER", offset, count, size: LARGEST_STRETCH },
        { reactions: messageKeys.reactions(roomId) },
      ),
      [0, "", 0, 0, NOTHING],
    );
    return { position: { roomId, epoch, seq, at }, stretch: toStretch(raw, behind) };
  }

  /** Continues a range where it was cut. Each call's cost to Redis is bounded, however many members are not messages. */
  async #more(roomId: string, stretch: Stretch, far: string, from: "start" | "end"): Promise<{ position: Position; stretch: Stretch }> {
    const { known, near, offset } = continuation(stretch);
    const { position, stretch: more } = await this.#read(roomId, near, far, from, MOST_AT_ONCE, offset);
    const members = [...known, ...more.members];
    const skipped = stretch.skipped + more.skipped;
    return {
      position,
      stretch: { ...more, members, skipped, cut: more.cut && members.length + skipped < LONGEST_STRETCH, behind: stretch.behind },
    };
  }
}

/** A range as the scripts return it: members with scores and reactions, the score and offset to continue at, and how many were skipped. */
type RawStretch = ScriptCalls["messages_page"]["result"][4];

const NOTHING: RawStretch = [[], "", 0, 0];

function toStretch([flat, near, offset, skipped]: RawStretch, behind = 0): Stretch {
  return { members: rawMessages(flat), cut: near !== "", next: { near, offset }, behind, skipped };
}

/** Where to continue, and the members to keep. It prefers a score to an offset, because members may move before the next call. */
function continuation({ members, next }: Stretch): { known: RawMessage[]; near: string; offset: number } {
  const last = members.at(-1)?.[1];
  if (next.offset === 0 || last === undefined || members[0]?.[1] === last) return { known: members, ...next };
  return { known: members.filter(([, score]) => score !== last), near: last, offset: 0 };
}

/** When a message's event was added to the log, in microseconds, provided that the message's date is right. */
const microsOf = ({ micros, score }: MessageId): number => micros ?? Math.round(Number(score.replace("inf", "0")) * 1_000_000);

const isSame = (one: Position, other: Position) => one.epoch === other.epoch && one.seq === other.seq;

/** The keys for storing a message, besides those that every room script takes. */
const storeKeys = (roomId: string, firstDay: number) => ({
  members: roomKeys.members(roomId),
  mentioned: messageKeys.mentioned(roomId),
  reactions: messageKeys.reactions(roomId),
  reads: roomKeys.reads(roomId),
  ...sentKeys(roomId, firstDay),
});

/** The keys of the sends of four days. */
const sentKeys = (roomId: string, firstDay: number) => ({
  sent1: messageKeys.sent(roomId, firstDay),
  sent2: messageKeys.sent(roomId, firstDay + 1),
  sent3: messageKeys.sent(roomId, firstDay + 2),
  sent4: messageKeys.sent(roomId, firstDay + 3),
});

const isWrongDays = (result: unknown): result is WrongDays => Array.isArray(result) && result.length === 1;

/** Splits the flat list of a room's members that the scripts return. */
function rawMessages(flat: string[]): RawMessage[] {
  return Array.from({ length: flat.length / 3 }, (_, index) => flat.slice(3 * index, 3 * index + 3) as RawMessage);
}

/** @throws ChatError BAD_USER_INPUT unless this can be a message's text, with at most `most` characters */
export function checkText(text: string, most: number): void {
  if (isLonger(text, most)) throw badInput("text", `must be at most ${most} characters (Unicode code points) long.`);
  if (isBlank(text)) throw badInput("text", "must contain at least one visible character.");
  if (!text.isWellFormed()) throw badInput("text", "must be well-formed Unicode.");
  if (hasControls(text)) throw badInput("text", "must not contain control characters other than tabs and line breaks.");
}
