import { createHash } from "node:crypto";
import { withoutControls } from "../util/characters.js";
import type { RoomId, UserId } from "../util/ids.js";
import { IncompleteReason, type IncompleteReasonName } from "./incomplete.type.js";
import { type MessageId, parseMessageId } from "./message-id.js";
import { OURS } from "./ours.js";
import type { ReactionRecord } from "./reaction.js";

/** A message as the stores handle it. */
export interface StoredMessage {
  id: string;
  roomId: RoomId;
  fromId: UserId;
  text: string;
  sentAt: Date;
  clientMessageId: string | null;
  /** Ids of the mentioned users. */
  mentionIds: UserId[];
  editedAt: Date | null;
  /** Id of the message to which it replies, which may no longer exist. */
  replyToId: string | null;
  /** Why an answer of the assistant is incomplete. */
  incomplete: IncompleteReasonName | null;
  reactions: ReactionRecord[];
  /** The position of the event that added it; null if it has to be looked up. */
  position: string | null;
}

/** A message's place in its room's order: by score, and among equal scores by id. */
export interface Place {
  score: string;
  id: string;
}

const LONGEST_SENDER = 32; // characters; a longer sender cannot be a user

/**
 * Parses a member of a room's sorted set, Palaver's or a demo app's.
 * @returns undefined if it is not a message
 */
export function readMember(roomId: RoomId, member: string, score: string): StoredMessage | undefined {
  const fields = parse(member);
  if (!fields) return undefined;
  const ours = member.endsWith(OURS) ? readOurs(roomId, fields) : undefined;
  if (ours && isPlacedAt(ours.id, score)) return ours;

  const { from = fields.From, message = fields.Message } = fields; // the .NET demo's fields begin with capitals
  if ((typeof from !== "string" && typeof from !== "number") || String(from).length > LONGEST_SENDER || typeof message !== "string")
    return undefined;
  return {
    id: foreignId(roomId, member, score),
    roomId,
    fromId: String(from) as UserId,
    text: withoutControls(asTyped(member, message)),
    sentAt: new Date(secondsOf(score) * 1_000),
    clientMessageId: null,
    mentionIds: [],
    editedAt: null,
    replyToId: null,
    incomplete: null,
    reactions: [],
    position: null,
  };
}

/**
 * Parses a message in the form that `message_send` and `message_edit` store.
 * @returns undefined if it does not have this form
 */
export function readOurs(
  roomId: RoomId,
  { id, from, message, clientMessageId, replyTo, editedAt, mentions, incomplete }: Record<string, unknown>,
): StoredMessage | undefined {
  if (typeof id !== "string" || typeof from !== "string" || typeof message !== "string") return undefined;
  const place = parseMessageId(id);
  if (place?.roomId !== roomId) return undefined;
  return {
    id,
    roomId,
    fromId: from as UserId,
    text: message,
    sentAt: new Date(place.micros === undefined ? secondsOf(place.score) * 1_000 : place.micros / 1_000),
    clientMessageId: typeof clientMessageId === "string" ? clientMessageId : null,
    mentionIds: Array.isArray(mentions) ? mentions.filter((id): id is UserId => typeof id === "string") : [],
    editedAt: typeof editedAt === "number" ? new Date(editedAt / 1_000) : null,
    replyToId: typeof replyTo === "string" && parseMessageId(replyTo)?.roomId === roomId ? replyTo : null,
    incomplete: Object.values(IncompleteReason).find((reason) => reason === incomplete) ?? null,
    reactions: [],
    position: null,
  };
}

/** Negative if the first place is earlier. */
export function comparePlaces(one: Place, other: Place): number {
  return numberOf(one.score) - numberOf(other.score) || (one.id < other.id ? -1 : Number(one.id > other.id));
}

/** Whether a message of Palaver with this id is stored at the score that the id states. */
function isPlacedAt(id: string, score: string): boolean {
  const { micros, score: own } = parseMessageId(id) as MessageId;
  return micros === undefined ? Number(own) === Number(score) : micros === Math.round(Number(score) * 1_000_000);
}

/** Demo apps store messages without an id. This id stays the same as long as the message is unchanged. */
function foreignId(roomId: RoomId, member: string, score: string): string {
  return `${roomId}/${plainScore(score)}-${createHash("sha1").update(member).digest("hex").slice(0, 16)}`;
}

/** The digest by which the scripts distinguish the members that demo apps store. */
export function digestOf(member: string): string {
  const bytes = Buffer.from(member);
  return createHash("sha1").update(bytes.subarray(0, 1_024)).update(String(bytes.length)).digest("hex").slice(0, 16);
}

/** A score in the form used in ids. Versions of Redis print fractions with different digits: see `lua/shared/message_id.lua`. */
function plainScore(score: string): string {
  if (!score.includes(".") || score.includes("e")) return score;
  const micros = Number(score).toFixed(6).replace(/0+$/, "");
  return Number(micros) === Number(score) ? micros : score;
}

const PYTHON = /^\{"\w+": /; // json.dumps puts a space after each colon
const FROM_FIRST = /^\{"from":/i; // objects of Java and .NET, which escape nothing, and Node's seed data, which needs no escapes
const ENTITIES: Record<string, string> = { "&amp;": "&", "&quot;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">" };

/**
 * The text of a demo app's message as the user typed it. The apps store it escaped for HTML, each in its own way: the Flask app writes
 * entities, the Node app escapes only angle brackets, without semicolons.
 */
function asTyped(member: string, text: string): string {
  if (PYTHON.test(member)) return text.replace(/&(?:amp|quot|#39|lt|gt);/g, (entity) => ENTITIES[entity] as string);
  if (FROM_FIRST.test(member)) return text;
  return text.replace(NODE_ESCAPES, (found) => (found.startsWith("?") ? found.replace(IN_QUERY, undoNode) : undoNode(found)));
}

/**
 * The Node app does not escape a typed `&`, so users can have typed its escapes themselves. Two forms count as typed: an entity with a
 * semicolon, which the app never writes, and a parameter in the query of a URL. Both expressions read each character once, however long
 * the text is.
 */
const NODE_ESCAPES = /\?[\w.~%=&+:/,;@!$()*-]+|&[lg]t;?/g;
const IN_QUERY = /&[lg]t(?:;|\w*=?)/g;

function undoNode(found: string): string {
  if (found.endsWith(";") || found.endsWith("=")) return found;
  return ENTITIES[`${found.slice(0, 3)};`] + found.slice(3);
}

/** A score as a number; Redis also has infinite scores. */
function numberOf(score: string): number {
  return Number(score.replace("inf", "Infinity"));
}

/** The time of a score in seconds. Some clients of the demo apps sent milliseconds instead. */
export function secondsOf(score: string): number {
  const number = numberOf(score);
  const seconds = number > 100_000_000_000 ? number / 1_000 : number; // in seconds, this would be the year 5138
  return Math.abs(seconds) <= LAST_SECOND ? seconds : 0;
}

const LAST_SECOND = 8_640_000_000_000; // the last one that a Date can hold

function parse(member: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(member);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
