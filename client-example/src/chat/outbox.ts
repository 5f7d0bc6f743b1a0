import type { MessagePartsFragment as Message, SendMutationVariables } from "../gql/graphql";
import { Refused } from "./api";
import { newClientId } from "./client-id";
import { Kept } from "./kept";
import { Store } from "./store";

/** A message that the user sent and that is not known to be stored. */
export interface Outgoing extends SendMutationVariables {
  roomId: string;
  clientMessageId: string;
  /** When it was written (ms). */
  at: number;
  /** Its place among those of the same moment. */
  order: number;
  /** Why it did not get through; sending it again as it is would not help, or not be safe. */
  problem?: string;
  /** Why it has to wait, and is sent later by itself. */
  notice?: string;
}

const KEPT_BY_SERVER = 23 * 3_600_000; // ms; for a day it knows a clientMessageId again, an hour is for clocks that differ
const LONGEST_WAIT = 30_000; // ms between two attempts

/**
 * Messages on their way, one after the other and each until its fate is known: with its `clientMessageId` it can be sent
 * again, and the server stores it once. They are kept in the browser, so they outlast a reload, and one tab of several
 * sends them. Where the browser does not keep them, the tab in which they were written sends them.
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
   * @param send sends it once. @throws Refused
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

  /** Sends a text, now or as soon as that is possible. */
  add(roomId: string, text: string, replyTo: string | null): void {
    this.#write({ roomId, text, clientMessageId: newClientId(), replyTo, at: Date.now(), order: this.#order++ });
  }

  /** Sends once more what did not get through, as a new message where it is too late for the old one. */
  sendAgain({ problem: _, notice: __, ...one }: Outgoing): void {
    if (Date.now() - one.at < KEPT_BY_SERVER) this.#write(one);
    else {
      this.drop(one.clientMessageId);
      this.add(one.roomId, one.text, one.replyTo ?? null);
    }
  }

  /** Forgets a message: it was stored, or is not to be. */
  drop(clientMessageId: string): void {
    this.#kept.remove(clientMessageId);
    this.#look();
  }

  /** Tries now rather than after the wait: the connection is back. */
  retry(): void {
    this.#wake();
  }

  close(): void {
    this.#end.abort();
    this.#unlisten();
    this.#wake();
  }

  /** Forgets all messages: the user signs out, and the next one at this browser is someone else. */
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
    if (!isShared) void this.#deliver(); // the tab that sends for all tabs does not see it
  }

  #look(): void {
    this.outgoing.set(this.#read());
    this.#wake();
  }

  /** One tab at a time sends. Without locks, as on pages without https, each does; the server stores it once all the same. */
  async #lead(): Promise<void> {
    if (!("locks" in navigator)) return this.#deliver();
    await navigator.locks.request(this.#lock, { signal: this.#end.signal }, () => this.#deliver()).catch(() => {}); // it was closed
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
        if (Date.now() - next.at > KEPT_BY_SERVER) throw new Error("It is more than a day old, and may already have been sent.");
        const message = await this.#send({ roomId, text, clientMessageId, replyTo: replyTo ?? null });
        failures = 0;
        this.#onSent(message);
        this.drop(clientMessageId);
      } catch (error) {
        if (error instanceof Refused && error.code === "UNAUTHENTICATED") return;
        if (error instanceof Refused && error.retryable) {
          failures++;
          if (error.code === "RATE_LIMITED") this.#write({ ...next, notice: error.message });
          await this.#somethingToDo(error.retryAfter ? error.retryAfter * 1_000 : Math.min(LONGEST_WAIT, 1_000 * 2 ** failures));
        } else if (this.#kept.get(clientMessageId) !== undefined) this.#write({ ...next, problem: (error as Error).message });
      }
    }
  }

  /** Resolves when there is something new, or after so long. */
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
