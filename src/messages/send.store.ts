import { isGroup } from "../api/ids.js";
import { encodePosition } from "../log/position.js";
import type { Replicas } from "../log/replicas.js";
import { type RoomScripts, UNHEARD } from "../log/room-scripts.js";
import type { RedisDays } from "../redis/days.js";
import type { ScriptCalls } from "../redis/scripts.js";
import { roomKeys } from "../rooms/keys.js";
import type { RoomStore } from "../rooms/room.store.js";
import { hasControls, isBlank, isLonger } from "../util/characters.js";
import { badInput, checkClientId, refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { messageKeys } from "./keys.js";
import type { MentionStore } from "./mention.store.js";
import type { MessageStore } from "./message.store.js";
import { type MessageConsumers, namesOf, wakeAll } from "./message-consumers.js";
import { readMessageId } from "./message-id.js";
import { readPlaced } from "./page.js";
import type { Retention } from "./retention.js";
import { digestOf, readOurs, type StoredMessage } from "./stored-message.js";

export interface Sending {
  roomId: RoomId;
  text: string;
  clientMessageId?: string | null | undefined;
  /** The id of a message in the same room. */
  replyTo?: string | null | undefined;
}

interface Parts {
  scripts: RoomScripts;
  days: RedisDays;
  replicas: Pick<Replicas, "confirm">;
  rooms: RoomStore;
  messages: MessageStore;
  mentions: MentionStore;
  consumers: MessageConsumers;
}

const DAYS_BEFORE = 2; // how many days before today the first of a script's day keys is

/** What a script returns if its keys do not include today and yesterday. */
export type WrongDays = [day: number];

/** What a script that stores a message needs, besides what all scripts of rooms take. */
interface Storing {
  keys: ReturnType<typeof storeKeys>;
  args: { roomId: RoomId; firstDay: number; group: boolean } & Retention;
}

/** What scripts that store a message return otherwise. */
export type Sent = Exclude<ScriptCalls["message_send"]["result"], WrongDays>;

/** Stores messages: those of users, and those that the demo apps have stored without an event. */
export class SendStore {
  readonly #scripts: RoomScripts;
  readonly #days: RedisDays;
  readonly #replicas: Pick<Replicas, "confirm">;
  readonly #rooms: RoomStore;
  readonly #messages: MessageStore;
  readonly #mentions: MentionStore;
  readonly #consumers: MessageConsumers;
  readonly #messageLength: number;
  readonly #retention: Retention;
  readonly #sentListeners: ((roomId: RoomId, userId: UserId) => void)[] = [];

  constructor(parts: Parts, { messageLength, ...retention }: { messageLength: number } & Retention) {
    this.#scripts = parts.scripts;
    this.#days = parts.days;
    this.#replicas = parts.replicas;
    this.#rooms = parts.rooms;
    this.#messages = parts.messages;
    this.#mentions = parts.mentions;
    this.#consumers = parts.consumers;
    this.#messageLength = messageLength;
    this.#retention = retention;
  }

  /** Calls the listener after each send of a user over this server, repeated ones included. */
  onSent(listener: (roomId: RoomId, userId: UserId) => void): void {
    this.#sentListeners.push(listener);
  }

  /**
   * Stores a message and notifies the room's subscribers. With a clientMessageId it is idempotent for at least 24 hours: a retry returns
   * the message in its current state, or as it was sent if it no longer exists. A consumer that has too much to do can refuse it.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, FORBIDDEN, CLIENT_MESSAGE_ID_REUSED, RATE_LIMITED
   */
  async send(userId: UserId, { roomId, text, clientMessageId, replyTo }: Sending): Promise<StoredMessage> {
    checkText(text, this.#messageLength);
    if (clientMessageId != null) checkClientId(clientMessageId, "clientMessageId");
    const answered = replyTo == null ? undefined : readMessageId(replyTo, "replyTo");
    await this.#rooms.check(roomId, userId);
    if (answered && answered.roomId !== roomId) throw refusal("NOT_FOUND", `There is no message ${answered.id} in this room to reply to.`);

    const { mentions, quiet } = await this.#mentions.by(userId, text, roomId);
    const said = { id: null, fromId: userId, roomId, mentionIds: mentions, replyToId: answered?.id ?? null };
    const wanting = await this.#consumers.wanting(said);
    for (const consumer of wanting) await consumer.admit(roomId, userId);

    const sent = await this.store<Sent>(roomId, ({ keys, args }) =>
      this.#scripts.onRoom(
        "message_send",
        roomId,
        {
          ...args,
          from: userId,
          text: JSON.stringify(text),
          clientId: clientMessageId == null ? "" : JSON.stringify(clientMessageId),
          mentions,
          replyTo: answered?.id ?? "",
          replyScore: answered?.score ?? "",
          wanted: namesOf(wanting),
          quiet,
        },
        keys,
      ),
    );
    await this.announce(roomId, sent);
    const [json, seq, epoch, at, , stored] = sent;
    // Also on a retry: the server of the first call may have died before this.
    await wakeAll(wanting, roomId, userId);
    await this.#replicas.confirm(roomId, { epoch, seq, at });
    for (const listener of this.#sentListeners) listener(roomId, userId);
    const position = encodePosition({ roomId, epoch, seq, at });
    const message = { ...(readOurs(roomId, JSON.parse(json) as Record<string, unknown>) as StoredMessage), position };
    if (stored === 1) return message;
    const [now] = await this.#messages.byIds([message.id]);
    return now ? { ...now, position } : message;
  }

  /** Runs a script that stores a message in a room. */
  store<Result>(roomId: RoomId, run: (storing: Storing) => Promise<Result | WrongDays>): Promise<Result> {
    const { historyLimit, historyDays } = this.#retention;
    return this.withDays((firstDay) =>
      run({ keys: storeKeys(roomId, firstDay), args: { roomId, firstDay, group: isGroup(roomId), historyLimit, historyDays } }),
    );
  }

  /**
   * Runs a script that looks for earlier sends under the days around today. Redis's clock decides which day it is: if this server is wrong
   * about it, the script changes nothing and returns the day, and the server runs it again with the right keys.
   */
  async withDays<Result>(run: (firstDay: number) => Promise<Result | WrongDays>): Promise<Result> {
    for (;;) {
      const result = await run(this.#days.expected() - DAYS_BEFORE);
      if (!isWrongDays(result)) return result;
      this.#days.learn(result[0]);
    }
  }

  /** Tells room lists of a message that a script has stored, and a private room's users of their first one. */
  async announce(roomId: RoomId, [, , , at, untold]: Sent): Promise<void> {
    this.#messages.noteSpoken(roomId, at);
    if (untold > 0) await this.#rooms.show(roomId, untold);
  }

  /**
   * Adds the messages that a demo app stored in a room and announced on its channel to the room's log, so that subscribers get them.
   * @param heard the score of the announced messages, and their members in the order of the announcements; undefined if it announced none
   * @param opening whether the app announced the room as new
   * @returns whether the app has stored messages that it has not announced yet: then the caller calls again in a moment
   */
  async adopt(roomId: RoomId, heard: { score: string; members: readonly string[] } | undefined, opening: boolean): Promise<boolean> {
    const authorOf = (member: string, score: string) => readPlaced(roomId, [member, score, ""])?.fromId;
    const opened = heard !== undefined && (await this.#rooms.openForDemos(roomId, authorOf));
    const opens = opening && (await this.#rooms.isOpen(roomId)); // else anyone who can publish could make the server create any keys
    const adopted = await this.#scripts.onRoomAtOnce("messages_adopt", roomId, {
      heard: heard?.score ?? "",
      opening: opens,
      order: (heard?.members ?? []).map(digestOf),
    });
    if (adopted === UNHEARD) return true;
    const [isNew, unnamed, last] = adopted;
    if (heard && last > 0) this.#messages.noteSpoken(roomId, last);
    if (isNew === 1 || opened) await this.#rooms.show(roomId, 1);
    if (unnamed > 0) await this.#mentions.find(roomId);
    return false;
  }
}

/** The keys for storing a message, besides those that every room script takes. */
const storeKeys = (roomId: RoomId, firstDay: number) => ({
  members: roomKeys.members(roomId),
  mentioned: messageKeys.mentioned(roomId),
  reactions: messageKeys.reactions(roomId),
  reads: roomKeys.reads(roomId),
  ...sentKeys(roomId, firstDay),
});

/** The keys of the sends of four days. */
export const sentKeys = (roomId: RoomId, firstDay: number) => ({
  sent1: messageKeys.sent(roomId, firstDay),
  sent2: messageKeys.sent(roomId, firstDay + 1),
  sent3: messageKeys.sent(roomId, firstDay + 2),
  sent4: messageKeys.sent(roomId, firstDay + 3),
});

const isWrongDays = (result: unknown): result is WrongDays => Array.isArray(result) && result.length === 1;

/** @throws ChatError BAD_USER_INPUT unless this can be a message's text, with at most `most` characters */
export function checkText(text: string, most: number): void {
  if (isLonger(text, most)) throw badInput("text", `must be at most ${most} characters (Unicode code points) long.`);
  if (isBlank(text)) throw badInput("text", "must contain at least one visible character.");
  if (!text.isWellFormed()) throw badInput("text", "must be well-formed Unicode.");
  if (hasControls(text)) throw badInput("text", "must not contain control characters other than tabs and line breaks.");
}
