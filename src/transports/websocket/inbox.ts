/** The fields of a client's frame that matter here. */
interface ClientFrame {
  type?: unknown;
  id?: unknown;
}

/** An operation that graphql-ws is still working on. */
interface Work {
  /** Whether the client has completed it. */
  completed: boolean;
  /** Characters of its frame; 0 once it has begun to answer. */
  waiting: number;
  /** The client's next operation with the same id. */
  next?: { frame: ClientFrame; characters: number } | undefined;
}

/** graphql-ws's handler of frames. Its type wants text, but it takes parsed frames as well. */
type Handle = (frame: string) => Promise<void>;

export interface InboxEvents {
  /** An operation has begun to answer, or ended without an answer. */
  onBegun(): void;
  /** An operation failed in a way that graphql-ws does not expect. */
  onFailure(id: string, error: unknown): void;
  /** Another frame failed in such a way. */
  onBadFrame(error: unknown): void;
  /** The client used an id for two operations at once. */
  onIdInUse(id: string): void;
  isOpen(): boolean;
}

/**
 * Passes the frames of one socket to graphql-ws. A client may reuse an id as soon as it has completed the operation. graphql-ws would then
 * send the rest of that operation's work as answers to the next one, so the next one waits until that work is done.
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

  /** Number of operations that have not begun to answer. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Characters of those operations' frames. */
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

  /** Notes that the operation has begun to answer. */
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

/** The frame; undefined if the text is not a JSON object, which graphql-ws refuses. */
function parse(text: string): ClientFrame | undefined {
  try {
    const frame: unknown = JSON.parse(text);
    return typeof frame === "object" && frame !== null ? frame : undefined;
  } catch {
    return undefined;
  }
}
