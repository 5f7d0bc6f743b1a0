import { encodePosition, type Position } from "../delivery/position.js";
import { badInput } from "../errors.js";
import type { LimitedLog } from "../limited-log.js";
import type { Lenient } from "../redis/connect.js";
import { keys } from "../redis/keys.js";
import type { Scripts } from "../redis/scripts.js";
import { type Connection, type Page, type PageArgs, type PageRequest, pageRequest, toConnection } from "../relay.js";
import type { RoomStore } from "../rooms/room.store.js";
import { cutPage, decodeCursor, encodeCursor, type Placed, type Stretch } from "./page.js";
import type { Retention } from "./retention.js";
import { type Place, readMember, readOurs, type StoredMessage, secondsOf } from "./stored-message.js";

export interface Sending {
  roomId: string;
  text: string;
  clientMessageId?: string | null | undefined;
}

export type MessageConnectionRecord = Connection<Placed> & { position: string };

const DAY = 86_400_000; // ms

const SPARE = 8; // messages read beyond a page, so that those of one score seldom need a second look
const LONGEST_STRETCH = 100_000; // members; more of one score, or unreadable in a row, than anyone but an attacker writes
const LARGEST_STRETCH = 32 * 1024 * 1024; // bytes, likewise
const AT_ONCE = 400; // messages of a history that is read from one end to the other
const CANDIDATES = 3; // for a room's newest message, should others have put there what is none

/** The messages of rooms: sending, and history. */
export class MessageStore {
  readonly #scripts: Scripts;
  readonly #rooms: RoomStore;
  readonly #lenient: Lenient;
  readonly #log: LimitedLog;
  readonly #messageLength: number;
  readonly #retention: Retention;
  readonly #onStored: (stored: { roomId: string; json: string; first: boolean }) => void;

  /** @param onStored is told of each message that is stored here, once; `json` is as it is in the room */
  constructor(
    scripts: Scripts,
    rooms: RoomStore,
    lenient: Lenient,
    log: LimitedLog,
    { messageLength, ...retention }: { messageLength: number } & Retention,
    onStored: (stored: { roomId: string; json: string; first: boolean }) => void = () => {},
  ) {
    this.#scripts = scripts;
    this.#rooms = rooms;
    this.#lenient = lenient;
    this.#log = log;
    this.#messageLength = messageLength;
    this.#retention = retention;
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
    const [message, seq, epoch, at, first, stored] = (await this.#scripts.onRoom(
      "message_send",
      roomId,
      [
        roomId,
        userId,
        JSON.stringify(text),
        clientMessageId == null ? "" : JSON.stringify(clientMessageId),
        firstDay,
        this.#retention.historyLimit,
        this.#retention.historyDays,
      ],
      [0, 1, 2, 3].map((days) => keys.sent(roomId, firstDay + days)),
    )) as [string, number, string, number, number, number];

    if (stored === 1) this.#onStored({ roomId, json: message, first: first === 1 });
    if (first === 1) await this.#rooms.show(roomId);
    const position = encodePosition({ roomId, epoch, seq, at });
    return { ...(readOurs(roomId, JSON.parse(message) as Record<string, unknown>) as StoredMessage), position };
  }

  /**
   * A page of the room's history, oldest first, and the room's position of the moment it was read. Without `first` and
   * `last` it ends at the newest message.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async page(userId: string, roomId: string, args: PageArgs): Promise<MessageConnectionRecord> {
    const request = pageRequest(args, "end", (cursor, argument) => decodeCursor(roomId, cursor, argument));
    const { page, position } = await this.#page(userId, roomId, request);
    return { ...toConnection(page, (message) => encodeCursor(roomId, message)), position: encodePosition(position) };
  }

  /**
   * The room's whole history, oldest first, some hundreds at a time. A message that is there throughout comes once; of what changes
   * meanwhile it is not said whether it comes. Each time it is looked anew whether the user may read on.
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

  async #page(userId: string, roomId: string, request: PageRequest<Place>): Promise<{ page: Page<Placed>; position: Position }> {
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
      if (page.unreadable > 0)
        this.#log.warn(`unreadable in ${roomId}`, { roomId, members: page.unreadable }, "what is in a room and is no message is left out");
      return { page, position };
    }
  }

  /** The newest message of each room, null for an empty one; one round trip. */
  newest(roomIds: readonly string[]): Promise<(Placed | null)[]> {
    return Promise.all(
      roomIds.map(async (roomId) => {
        const { stretch } = await this.#read(roomId, "+inf", "-inf", "end", CANDIDATES);
        for (const [member, score] of stretch.members) {
          const message = readMember(roomId, member, score);
          if (message) return { ...message, score };
        }
        return null;
      }),
    );
  }

  /** The rooms' ids, the one with the newest message first, rooms without messages last. */
  async byNewest(roomIds: string[], newest: (roomId: string) => Promise<Placed | null>): Promise<string[]> {
    const rooms = await Promise.all(
      roomIds.map(async (id) => {
        const message = await newest(id);
        return { id, time: message ? secondsOf(message.score) : Number.NEGATIVE_INFINITY };
      }),
    );
    return rooms.sort((one, other) => other.time - one.time || 0).map(({ id }) => id);
  }

  /**
   * Takes in what a demo app wrote to a room, of which it told on its channel: followers get it as they get all else.
   * @param heard the score of its message, as far as that was told @param opening it told that the room is new
   */
  async adopt(roomId: string, heard: string | undefined, opening: boolean): Promise<void> {
    const isNew = await this.#scripts.onRoom("messages_adopt", roomId, [heard ?? "", opening ? 1 : 0]);
    if (isNew === 1) await this.#rooms.show(roomId);
  }

  async #read(
    roomId: string,
    near: string,
    far: string,
    from: "start" | "end",
    count: number,
  ): Promise<{ position: Position; stretch: Stretch }> {
    const [seq, epoch, at, behind, flat] = await this.#lenient(
      this.#scripts.onRoom("messages_page", roomId, [near, far, from === "start" ? "NEWER" : "OLDER", count, LARGEST_STRETCH]) as Promise<
        [number, string, number, number, string[]]
      >,
      [0, "", 0, 0, []],
    );
    const members = Array.from({ length: flat.length / 2 }, (_, index) => flat.slice(2 * index, 2 * index + 2) as [string, string]);
    return { position: { roomId, epoch, seq, at }, stretch: { members, cut: members.length === count, behind } };
  }

  #checkText(text: string): void {
    const most = this.#messageLength;
    if (text.trim() === "") throw badInput("text", "must not be empty.");
    if (text.length > most && [...text].length > most) throw badInput("text", `must be at most ${most} characters long.`);
    if (!text.isWellFormed()) throw badInput("text", "must be well-formed Unicode.");
  }
}

const LONGEST_CLIENT_MESSAGE_ID = 64;

function checkClientMessageId(id: string): void {
  if (id === "" || id.length > LONGEST_CLIENT_MESSAGE_ID || /\p{C}/u.test(id)) {
    throw badInput("clientMessageId", `must be 1 to ${LONGEST_CLIENT_MESSAGE_ID} characters without control characters, such as a UUID.`);
  }
}
