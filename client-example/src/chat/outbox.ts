import type { MessagePartsFragment as Message, SendMutationVariables } from "../gql/graphql";
import { Refused } from "./api";
import { newClientId } from "./client-id";
import { Kept } from "./kept";
import { Store } from "./store";

/** A message that the user sent and that is not yet known to be stored. */
export interface Outgoing extends SendMutationVariables {
  roomId: string;
  clientMessageId: string;
  /** When the user wrote it, in ms since 1970. */
  at: number;
  /** Its order among messages of the same millisecond. */
  order: number;
  /** Why it was not sent. An automatic retry would not help, or would not be safe. */
  problem?: string;
  /** Why it has to wait; it is sent later automatically. */
  notice?: string;
}

const KEPT_BY_SERVER = 23 * 3_600_000; // ms; the server remembers a clientMessageId for a day, less an hour for clocks that differ
const LONGEST_WAIT = 30_000; // ms between two attempts

/**
 * Outgoing messages. They are sent in order, each retried until its outcome is known: the server stores each `clientMessageId` once.
 * The browser keeps them, so they survive a reload, and one of several tabs sends them. If the browser cannot keep them, the tab in
 * which they were written sends them.
 */
export class Outbox {
  readonly outgoing: Store<readonly Outgoing[]>;
  readonly #kept: Kept;
  readonly #lock: string;
  readonly #send: (variables: SendMutationVariables) => Promise<Message>;
  readonly #onSent: (message: Message) => void;
  readonly #end = new AbortController();
  readonly #unlisten: () => void;
  #delivering: Promise<void> | undefined;
  #order = 0;
  #wake = () => {};

  /**
   * @param send sends a message once. @throws Refused
   * @param onSent called with each message that was stored
   */
  constructor(userId: string, send: (variables: SendMutationVariables) => Promise<Message>, onSent: (message: Message) => void) {
    this.#lock = `palaver.outbox.${userId}.`;
    this.#kept = new Kept(this.#lock);
    this.#send = send;
    this.#onSent = onSent;
    this.outgoing = new Store(this.#read());
    this.#unlisten = this.#kept.onChangeInOtherTab(() => this.#look());
    void this.#lead();
  }

  /** Sends a text as soon as possible. */
  add(roomId: string, text: string, replyTo: string | null): void {
    this.#write({ roomId, text, clientMessageId: newClientId(), replyTo, at: Date.now(), order: this.#order++ });
  }

  /** Sends a failed message again; as a new message if the server may have forgotten the old one's id. */
  sendAgain({ problem: _, notice: __, ...one }: Outgoing): void {
    if (Date.now() - one.at < KEPT_BY_SERVER) this.#write(one);
    else {
      this.drop(one.clientMessageId);
      this.add(one.roomId, one.text, one.replyTo ?? null);
    }
  }

  /** Removes a message: it was stored or discarded. */
  drop(clientMessageId: string): void {
    this.#kept.remove(clientMessageId);
    this.#look();
  }

  /** Retries now instead of after the wait: the connection is back. */
  retry(): void {
    this.#wake();
  }

  close(): void {
    this.#end.abort();
    this.#unlisten();
    this.#wake();
  }

  /** Removes all messages: the user signs out, and the next user of this browser may be someone else. */
  clear(): void {
    this.#kept.clear();
    this.#look();
  }

  #read(): Outgoing[] {
    return this.#kept
      .values()
      .flatMap(parsed)
      .sort((one, other) => one.at - other.at || one.order - other.order);
  }

  #write(one: Outgoing): void {
    const isShared = this.#kept.set(one.clientMessageId, JSON.stringify(one));
    this.#look();
    if (!isShared) void this.#deliver(); // the tab that sends for all tabs cannot see it
  }

  #look(): void {
    this.outgoing.set(this.#read());
    this.#wake();
  }

  /** Lets one tab at a time send. Without locks, as on pages without https, every tab sends; the server still stores each message once. */
  async #lead(): Promise<void> {
    if (!("locks" in navigator)) return this.#deliver();
    await navigator.locks.request(this.#lock, { signal: this.#end.signal }, () => this.#deliver()).catch(() => {}); // the outbox was closed
  }

  #deliver(): Promise<void> {
    this.#delivering ??= this.#deliverAll();
    return this.#delivering;
  }

  async #deliverAll(): Promise<void> {
    for (let failures = 0; !this.#end.signal.aborted; ) {
      const next = this.outgoing.get().find(({ problem }) => problem === undefined);
      if (!next) {
        await this.#somethingToDo();
        continue;
      }
      const { roomId, text, clientMessageId, replyTo } = next;
      try {
        if (Date.now() - next.at > KEPT_BY_SERVER) throw new Error("It was written over 23 hours ago and may already have been sent.");
        const message = await this.#send({ roomId, text, clientMessageId, replyTo: replyTo ?? null });
        failures = 0;
        this.#onSent(message);
        this.drop(clientMessageId);
      } catch (error) {
        if (error instanceof Refused && error.code === "UNAUTHENTICATED") return;
        if (error instanceof Refused && error.retryable) {
          failures++;
          if (error.code === "RATE_LIMITED" && this.#isKept(next)) this.#write({ ...next, notice: error.message });
          await this.#somethingToDo(error.retryAfter ? error.retryAfter * 1_000 : Math.min(LONGEST_WAIT, 1_000 * 2 ** failures));
        } else if (this.#isKept(next)) this.#write({ ...next, problem: (error as Error).message });
      }
    }
  }

  /** Whether the message was neither dropped nor cleared, as at a sign-out, while it was being sent. */
  #isKept({ clientMessageId }: Outgoing): boolean {
    return this.#kept.get(clientMessageId) !== undefined;
  }

  /** Resolves when the messages or the connection change, or after `ms`. */
  #somethingToDo(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (ms !== undefined) setTimeout(resolve, ms);
    });
  }
}

function parsed(text: string): Outgoing[] {
  try {
    return [JSON.parse(text) as Outgoing];
  } catch {
    return [];
  }
}
