/** The parts of a message that decide whether it asks the assistant. */
export interface Said {
  fromId: string;
  roomId: string;
  mentionIds: readonly string[];
  replyToId: string | null;
}

/** Answers questions that messages ask. */
export interface Answerer {
  /** Its user id; empty while it has no account. */
  readonly id: string;
  /** @param messages finds the author of the message that this one replies to */
  isAsked(said: Said, messages?: { byIds(ids: string[]): Promise<unknown[]> }): Promise<boolean>;
  /** @throws ChatError RATE_LIMITED */
  admit(userId: string, roomId: string): Promise<void>;
  wake(roomId: string): Promise<void>;
}

/** The questions that messages ask. Until there is an answerer, none do. */
export class Questions implements Answerer {
  #answerer: Answerer | undefined;

  /** Has these questions answered. */
  answeredBy(answerer: Answerer): void {
    this.#answerer = answerer;
  }

  get id(): string {
    return this.#answerer?.id ?? "";
  }

  async isAsked(...said: Parameters<Answerer["isAsked"]>): Promise<boolean> {
    return (await this.#answerer?.isAsked(...said)) ?? false;
  }

  async admit(userId: string, roomId: string): Promise<void> {
    await this.#answerer?.admit(userId, roomId);
  }

  async wake(roomId: string): Promise<void> {
    await this.#answerer?.wake(roomId);
  }
}
