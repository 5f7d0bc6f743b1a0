/** What a client's frame says, as far as it matters here. */
interface ClientFrame {
  type?: unknown;
  id?: unknown;
}

/** An operation that graphql-ws still works on. */
interface Work {
  /** The client has completed it. */
  completed: boolean;
  /** Characters of its frame, until it has begun to answer; 0 from then on. */
  waiting: number;
  /** The client's next operation of the same id. */
  next?: { frame: ClientFrame; characters: number } | undefined;
}

/** What takes frames: graphql-ws, which wants text and takes what was parsed as well. */
type Handle = (frame: string) => Promise<void>;

export interface InboxEvents {
  /** An operation has begun to answer, or ended without. */
  onBegun(): void;
  /** An operation failed in a way that graphql-ws does not expect. */
  onFailure(id: string, error: unknown): void;
  /** So did another frame. */
  onBadFrame(error: unknown): void;
  /** An id is used for two operations at once. */
  onIdInUse(id: string): void;
  isOpen(): boolean;
}

/**
 * Hands the frames of one socket to graphql-ws. An id is free again as soon as its client has completed the operation. What graphql-ws
 * still does for that operation it would then do in the name of the next one, so the next one waits until it is done.
 */
export class Inbox {
  readonly #handle: Handle;
  readonly #events: InboxEvents;
  readonly #working = new Map<string, Work>();
  #waiting = 0;
  #characters = 0;

  constructor(handle: Handle, events: InboxEvents) {
    this.#handle = handle;
    this.#events = events;
  }

  /** Operations that have not begun to answer. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Characters of their frames. */
  get characters(): number {
    return this.#characters;
  }

  take(text: string): void {
    const frame = parse(text);
    const { type, id } = frame ?? {};
    const work = typeof id === "string" ? this.#working.get(id) : undefined;
    if (type === "subscribe" && typeof id === "string") {
      if (work && (!work.completed || work.next)) {
        this.#events.onIdInUse(id);
        return;
      }
      this.#count(1, text.length);
      const operation = { frame: frame as ClientFrame, characters: text.length };
      if (work) work.next = operation;
      else this.#start(id, operation);
      return;
    }
    if (type === "complete" && work?.completed) {
      if (work.next) this.#count(-1, -work.next.characters);
      work.next = undefined;
      return;
    }
    if (type === "complete" && work) work.completed = true;
    this.#give(frame ?? text).catch((error: unknown) => this.#events.onBadFrame(error));
  }

  /** The operation has begun to answer. */
  begun(id: string): void {
    const work = this.#working.get(id);
    if (!work || work.waiting === 0) return;
    this.#count(-1, -work.waiting);
    work.waiting = 0;
    this.#events.onBegun();
  }

  #start(id: string, { frame, characters }: NonNullable<Work["next"]>): void {
    const work: Work = { completed: false, waiting: characters };
    this.#working.set(id, work);
    void this.#give(frame)
      .catch((error: unknown) => {
        if (!work.completed) this.#events.onFailure(id, error);
      })
      .finally(() => {
        this.begun(id);
        this.#working.delete(id);
        if (work.next && this.#events.isOpen()) this.#start(id, work.next);
      });
  }

  #count(operations: number, characters: number): void {
    this.#waiting += operations;
    this.#characters += characters;
  }

  #give(frame: ClientFrame | string): Promise<void> {
    return this.#handle(frame as string);
  }
}

/** The frame; undefined for what is not an object in JSON, which graphql-ws refuses. */
function parse(text: string): ClientFrame | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === "object" && frame !== null ? frame : undefined;
  } catch {
    return undefined;
  }
}
