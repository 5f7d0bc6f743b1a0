import type { RoomId, UserId } from "../util/ids.js";

/** The parts of a message that decide which consumers want it. */
export interface Said {
  /** Null for a message that is being sent. */
  id: string | null;
  fromId: UserId;
  roomId: RoomId;
  mentionIds: readonly UserId[];
  replyToId: string | null;
}

/** A consumer of messages, as the code that stores them sees it. */
export interface MessageConsumer {
  /** Its name in the log. */
  readonly name: string;
  /** @param before the message before an edit */
  wants(said: Said, before?: Said): Promise<boolean>;
  /**
   * Checks that it can take one more message of this user, before the message is stored.
   * @throws ChatError RATE_LIMITED
   */
  admit(roomId: RoomId, userId: UserId): Promise<void>;
  /** Whether it takes one more message of a demo app's user, which is stored in any case. */
  takes(roomId: RoomId): Promise<boolean>;
  /** Tells its processes of an event of this user in the room. */
  wake(roomId: RoomId, userId: UserId): Promise<void>;
}

/** Which consumers want a message. Nothing else in the way of a message knows what follows from it. */
export class MessageConsumers {
  readonly #all: MessageConsumer[] = [];

  add(consumer: MessageConsumer): void {
    this.#all.push(consumer);
  }

  /** Those that want this message, or this edit of a message. */
  async wanting(said: Said, before?: Said): Promise<MessageConsumer[]> {
    const wanted = await Promise.all(this.#all.map((consumer) => consumer.wants(said, before)));
    return this.#all.filter((_, index) => wanted[index]);
  }
}

/** The names of consumers, as the scripts take them. */
export const namesOf = (consumers: readonly MessageConsumer[]): string[] => consumers.map(({ name }) => name);

/** Tells the processes of these consumers of an event of this user in the room. */
export async function wakeAll(consumers: readonly MessageConsumer[], roomId: RoomId, userId: UserId): Promise<void> {
  await Promise.all(consumers.map((consumer) => consumer.wake(roomId, userId)));
}
