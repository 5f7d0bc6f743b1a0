import type { Logger } from "pino";
import type { Channels } from "../log/channels.js";
import type { Feed } from "../log/feed.js";
import { onceRedisAnswers } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import { type Audience, Audiences } from "../rooms/audience.js";
import type { RoomStore } from "../rooms/room.store.js";
import type { RoomId, UserId } from "../util/ids.js";
import { assistantKeys } from "./keys.js";

/** The state of an answer, as sent to subscribers: one object for all of them. */
export interface ReplyRecord {
  roomId: RoomId;
  replyTo: string;
  text: string;
  delta: string;
  state: "WRITING" | "DONE" | "INCOMPLETE" | "CANCELLED" | "FAILED";
  problem: string | null;
}

/** An answer as this server knows it. */
type Known = Omit<ReplyRecord, "roomId" | "delta"> & {
  /** Increases by one with each event of the room's answers. */
  version: number;
  /** Length of the text in UTF-8. */
  bytes: number;
  /** When its last event arrived, or when it was last read (ms, by `performance.now`). */
  at: number;
};

/** A published event: `delta` follows the first `offset` bytes of the text, which are all of the text so far, or none. */
type ReplyEvent = Pick<ReplyRecord, "replyTo" | "delta" | "state" | "problem"> & { version: number; offset: number };

/** What this server knows of a room's answers. */
interface ReplyState {
  known: Known | undefined;
  /** The read in progress, and whether an event arrived during it. */
  looking: Promise<void> | undefined;
  again: boolean;
}

type ReplyRoom = Audience<ReplyRecord, ReplyState>;

const LOOK = 1_000; // ms between two checks for silent answers
const SILENT = 5_000; // ms without an event after which an unfinished answer is read: pub/sub does not guarantee delivery
const SHOWN = 60_000; // ms for which new subscribers still get an answer that has ended

const STATES = ["WRITING", "DONE", "INCOMPLETE", "CANCELLED", "FAILED"];

/**
 * The answers that grow in rooms. Redis stores each answer, and each addition is published with a version. A server reads the answer from
 * Redis if a version is not the next one, for each new subscriber, and after its connection was lost.
 */
export class ReplyFeeds {
  readonly #scripts: Scripts;
  readonly #log: Logger;
  readonly #audiences: Audiences<ReplyRecord, ReplyState>;
  readonly #timer: NodeJS.Timeout;

  constructor(scripts: Scripts, channels: Channels, rooms: RoomStore, log: Logger) {
    this.#scripts = scripts;
    this.#log = log;
    this.#audiences = new Audiences<ReplyRecord, ReplyState>(
      channels,
      rooms,
      () => ({ known: undefined, looking: undefined, again: false }),
      (room, payload) => this.#heard(room, payload),
      () => {
        for (const room of this.#audiences) this.#lookFor(room);
      },
    );
    this.#timer = setInterval(() => this.#lookAtSilent(), LOOK).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#audiences.close();
  }

  /**
   * The answers in a room: the current state of the one in progress, or of one that ended within the last minute; then each addition.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND
   */
  async follow(roomId: RoomId, userId: UserId): Promise<Feed<ReplyRecord>> {
    const { feed, audience } = await this.#audiences.join(roomId, userId, (room) => this.#look(room));
    const { known } = audience.state;
    if (known && (known.state === "WRITING" || performance.now() - known.at < SHOWN)) feed.push(recordOf(roomId, known, known.text));
    return feed;
  }

  #heard(room: ReplyRoom, payload: unknown): void {
    if ((payload as { kind?: unknown } | null)?.kind !== "assistant.reply" || !isReplyEvent(payload)) return;
    const { known, looking } = room.state;
    if (looking) room.state.again = true;
    else if (known && payload.version === known.version + 1 && fits(payload, known)) this.#pass(room, payload);
    else if (!known || payload.version > known.version) this.#lookFor(room);
  }

  #pass({ roomId, state: reply, feeds }: ReplyRoom, { replyTo, state, problem, version, offset, delta }: ReplyEvent): void {
    const [text, bytes] = offset === 0 ? ["", 0] : [reply.known?.text ?? "", offset];
    reply.known = {
      replyTo,
      state,
      problem,
      version,
      text: text + delta,
      bytes: bytes + Buffer.byteLength(delta),
      at: performance.now(),
    };
    const record = recordOf(roomId, reply.known, delta);
    for (const feed of feeds.keys()) feed.push(record);
  }

  /** Reads the room's answer and sends subscribers what they do not have yet; repeats this if an event arrived during the read. */
  #look(room: ReplyRoom): Promise<void> {
    const { state } = room;
    state.looking ??= (async () => {
      do {
        state.again = false;
        this.#compare(room, await this.#read(room.roomId));
      } while (state.again);
    })().finally(() => {
      state.looking = undefined;
    });
    return state.looking;
  }

  #compare({ roomId, state: reply, feeds }: ReplyRoom, found: Known | undefined): void {
    const { known } = reply;
    reply.known = found ?? (known && known.state !== "WRITING" ? known : undefined);
    if (!found || found.version === known?.version) return;
    const goesOn = known?.replyTo === found.replyTo && found.text.startsWith(known.text);
    const record = recordOf(roomId, found, goesOn ? found.text.slice(known.text.length) : found.text);
    for (const feed of feeds.keys()) feed.push(record);
  }

  async #read(roomId: RoomId): Promise<Known | undefined> {
    const found = await this.#scripts.run(
      "assistant_look",
      { reply: assistantKeys.reply(roomId), writing: assistantKeys.writing(roomId) },
      {},
    );
    if (!found) return undefined;
    const [version, replyTo, state, problem, text] = found;
    return { version, replyTo, state, problem: problem || null, text, bytes: Buffer.byteLength(text), at: performance.now() };
  }

  #lookFor(room: ReplyRoom): void {
    onceRedisAnswers(
      () => this.#look(room),
      () => room.isWanted,
    ).catch((err: Error) => this.#log.error({ err, roomId: room.roomId }, "could not read an answer"));
  }

  #lookAtSilent(): void {
    const since = performance.now() - SILENT;
    for (const room of this.#audiences) {
      const { known, looking } = room.state;
      if (known?.state === "WRITING" && known.at < since && !looking) this.#lookFor(room);
    }
  }
}

function recordOf(roomId: RoomId, { replyTo, text, state, problem }: Known, delta: string): ReplyRecord {
  return { roomId, replyTo, text, delta, state, problem };
}

/** Whether an event continues the answer, or begins one. */
const fits = ({ replyTo, offset }: ReplyEvent, known: Known) => offset === 0 || (replyTo === known.replyTo && offset === known.bytes);

function isReplyEvent(payload: unknown): payload is ReplyEvent {
  const { replyTo, state, version, offset, delta, problem } = (payload ?? {}) as Partial<ReplyEvent>;
  return (
    typeof replyTo === "string" &&
    STATES.includes(state ?? "") &&
    typeof version === "number" &&
    typeof offset === "number" &&
    typeof delta === "string" &&
    (problem === null || typeof problem === "string")
  );
}
