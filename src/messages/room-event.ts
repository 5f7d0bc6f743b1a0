import type { RoomEvent } from "../delivery/log.js";
import { encodePosition, type Position } from "../delivery/position.js";
import type { MessageStore } from "./message.store.js";
import { readReactions } from "./reaction.js";
import { readMember, readOurs, type StoredMessage } from "./stored-message.js";

/** The fields of an event that depend on its kind, as the API returns them. */
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

/** An event of a room, as the API returns it. */
export type RoomEventRecord = {
  [K in Kind]: { kind: K; position: string; roomId: string; at: Date } & Kinds[K];
}[Kind];

/**
 * Parses the fields of each kind of event in a room's log; undefined for a malformed event, since anyone who can write to this Redis may
 * have written it.
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

/** Parses an event for subscribers; undefined for an unknown kind or a malformed event. */
export function readRoomEvent(event: RoomEvent, place: Position): RoomEventRecord | undefined {
  if (!isKind(event.kind)) return undefined;
  const { roomId } = place;
  const position = encodePosition(place);
  const about = READERS[event.kind]({ ...event }, roomId, position);
  return about && ({ kind: event.kind, position, roomId, at: new Date(event.at / 1_000), ...about } as RoomEventRecord);
}

/** Whether an event changes a message that an earlier event delivered. */
export const alters = ({ kind }: RoomEventRecord): boolean =>
  kind === "message.edited" || kind === "reaction.changed" || kind === "message.deleted";

const AT_ONCE = 100; // messages looked up by one call

/**
 * Past events as a replay delivers them: each message in its current state, or as it was if it no longer exists. Events without a change
 * stay the same objects.
 */
export async function asTheyStand(events: readonly RoomEventRecord[], messages: Pick<MessageStore, "byIds">): Promise<RoomEventRecord[]> {
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

const isKind = (kind: string): kind is Kind => Object.hasOwn(READERS, kind);

/** The message of an event: Palaver's as the stored object, a demo app's as the member of the room's sorted set. */
function messageIn({ message, foreign }: Record<string, unknown>, roomId: string): StoredMessage | undefined {
  if (typeof foreign === "object" && foreign !== null) {
    const { member, score } = foreign as { member?: unknown; score?: unknown };
    return typeof member === "string" && typeof score === "string" ? readMember(roomId, member, score) : undefined;
  }
  return typeof message === "object" && message !== null ? readOurs(roomId, message as Record<string, unknown>) : undefined;
}

/** The message of an event, with its reactions at that time. */
function withReactions(event: Record<string, unknown>, roomId: string): { message: StoredMessage } | undefined {
  const message = messageIn(event, roomId);
  return message && { message: { ...message, reactions: readReactions(event.reactions) } };
}
