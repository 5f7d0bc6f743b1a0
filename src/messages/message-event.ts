import type { EventPlace, RoomEventKind, RoomEventRecord } from "../api/room-event.js";
import type { RoomId, UserId } from "../util/ids.js";
import type { MessageStore } from "./message.store.js";
import { MessageAdded, MessageDeleted, MessageEdited, ReactionChanged } from "./message-event.type.js";
import { readReactions } from "./reaction.js";
import { readMember, readOurs, type StoredMessage } from "./stored-message.js";

declare module "../api/room-event.js" {
  interface RoomEventFields {
    "message.added": { message: StoredMessage; readBySender: boolean };
    "message.edited": { message: StoredMessage };
    "message.deleted": { messageId: string; byId: UserId };
    "reaction.changed": { message: StoredMessage };
  }
}

/** The events of a room's messages. */
export const messageEvents: readonly RoomEventKind[] = [
  {
    kind: "message.added",
    type: MessageAdded,
    read(event, { roomId, position }) {
      const message = messageIn(event, roomId);
      return message && { message: { ...message, position }, readBySender: event.read === true };
    },
  },
  { kind: "message.edited", type: MessageEdited, alters: true, read: withReactions },
  {
    kind: "message.deleted",
    type: MessageDeleted,
    alters: true,
    read: ({ messageId, by }) => (typeof messageId === "string" && typeof by === "string" ? { messageId, byId: by as UserId } : undefined),
  },
  { kind: "reaction.changed", type: ReactionChanged, alters: true, read: withReactions },
];

const AT_ONCE = 100; // messages looked up by one call

/**
 * Past events as a replay delivers them: each message in its current state, or as it was if it no longer exists. Events without a change
 * stay the same objects.
 */
export async function withCurrentMessages(
  events: readonly RoomEventRecord[],
  messages: Pick<MessageStore, "byIds">,
): Promise<RoomEventRecord[]> {
  const ids = [...new Set(events.flatMap((event) => ("message" in event ? event.message.id : [])))];
  const portions = Array.from({ length: Math.ceil(ids.length / AT_ONCE) }, (_, n) => ids.slice(n * AT_ONCE, (n + 1) * AT_ONCE));
  const found = (await Promise.all(portions.map((portion) => messages.byIds(portion)))).flat();
  const now = new Map(found.flatMap((message) => (message ? [[message.id, message]] : [])));
  return events.map((event) => {
    const message = "message" in event ? now.get(event.message.id) : undefined;
    if (!message || !("message" in event) || isSame(message, event.message)) return event;
    return { ...event, message: { ...message, position: event.message.position } };
  });
}

const isSame = (one: StoredMessage, other: StoredMessage) => JSON.stringify(changeable(one)) === JSON.stringify(changeable(other));

const changeable = ({ text, editedAt, mentionIds, reactions }: StoredMessage) => [text, editedAt, mentionIds, reactions];

/** The message of an event: Palaver's as the stored object, a demo app's as the member of the room's sorted set. */
function messageIn({ message, foreign }: Record<string, unknown>, roomId: RoomId): StoredMessage | undefined {
  if (typeof foreign === "object" && foreign !== null) {
    const { member, score } = foreign as { member?: unknown; score?: unknown };
    return typeof member === "string" && typeof score === "string" ? readMember(roomId, member, score) : undefined;
  }
  return typeof message === "object" && message !== null ? readOurs(roomId, message as Record<string, unknown>) : undefined;
}

/** The message of an event, with its reactions at that time. */
function withReactions(event: Record<string, unknown>, { roomId }: EventPlace): { message: StoredMessage } | undefined {
  const message = messageIn(event, roomId);
  return message && { message: { ...message, reactions: readReactions(event.reactions) } };
}
