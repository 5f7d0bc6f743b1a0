import type { RoomEvent } from "../delivery/log.js";
import { encodePosition, type Position } from "../delivery/position.js";
import { readReactions } from "./reaction.js";
import { readMember, readOurs, type StoredMessage } from "./stored-message.js";

/** What of an event depends on its kind, as the API gives it. */
interface Kinds {
  "message.added": { message: StoredMessage; readBySender: boolean };
  "read.moved": { userId: string; upTo: string };
  "message.edited": { message: StoredMessage };
  "message.deleted": { messageId: string; byId: string };
  "reaction.changed": { message: StoredMessage };
  "member.joined": { userId: string; byId: string };
  "member.left": { userId: string; byId: string; newOwnerId: string | null };
  "room.renamed": { name: string; byId: string };
}

type Kind = keyof Kinds;

/** An event of a room, as the API gives it. */
export type RoomEventRecord = {
  [K in Kind]: { kind: K; position: string; roomId: string; at: Date } & Kinds[K];
}[Kind];

/**
 * Reads what belongs to each kind of event in a room's log; undefined for what does not look like it, as whoever can write to
 * this Redis may have made it.
 */
const READERS: { [K in Kind]: (event: Record<string, unknown>, roomId: string, position: string) => Kinds[K] | undefined } = {
  "message.added": (event, roomId, position) => {
    const message = messageIn(event, roomId);
    return message && { message: { ...message, position }, readBySender: event.read === true };
  },
  "read.moved": ({ userId, upTo }) => (typeof userId === "string" && typeof upTo === "string" ? { userId, upTo } : undefined),
  "message.edited": withReactions,
  "message.deleted": ({ messageId, by }) => (typeof messageId === "string" && typeof by === "string" ? { messageId, byId: by } : undefined),
  "reaction.changed": withReactions,
  "member.joined": ({ userId, by }) => (typeof userId === "string" && typeof by === "string" ? { userId, byId: by } : undefined),
  "member.left": ({ userId, by, newOwner }) =>
    typeof userId === "string" && typeof by === "string"
      ? { userId, byId: by, newOwnerId: typeof newOwner === "string" ? newOwner : null }
      : undefined,
  "room.renamed": ({ name, by }) => (typeof name === "string" && typeof by === "string" ? { name, byId: by } : undefined),
};

/** What followers are told of an event; undefined for one of a kind that is not known here. */
export function readRoomEvent(event: RoomEvent, place: Position): RoomEventRecord | undefined {
  if (!isKind(event.kind)) return undefined;
  const { roomId } = place;
  const position = encodePosition(place);
  const about = READERS[event.kind]({ ...event }, roomId, position);
  return about && ({ kind: event.kind, position, roomId, at: new Date(event.at / 1_000), ...about } as RoomEventRecord);
}

const isKind = (kind: string): kind is Kind => Object.hasOwn(READERS, kind);

/** The message that an event is about: one of ours as the object that is stored, or another's as the member of the room that it is. */
function messageIn({ message, foreign }: Record<string, unknown>, roomId: string): StoredMessage | undefined {
  if (typeof foreign === "object" && foreign !== null) {
    const { member, score } = foreign as { member?: unknown; score?: unknown };
    return typeof member === "string" && typeof score === "string" ? readMember(roomId, member, score) : undefined;
  }
  return typeof message === "object" && message !== null ? readOurs(roomId, message as Record<string, unknown>) : undefined;
}

/** The message that an event is about, with its reactions as they stood then. */
function withReactions(event: Record<string, unknown>, roomId: string): { message: StoredMessage } | undefined {
  const message = messageIn(event, roomId);
  return message && { message: { ...message, reactions: readReactions(event.reactions) } };
}
