import { createHash } from "node:crypto";
import { withoutControls } from "../text/characters.js";
import { IncompleteReason, type IncompleteReasonName } from "./incomplete.type.js";
import { type MessageId, parseMessageId } from "./message-id.js";
import type { ReactionRecord } from "./reaction.js";

/** A message as the stores know it. */
export interface StoredMessage {
  id: string;
  roomId: string;
  fromId: string;
  text: string;
  sentAt: Date;
  clientMessageId: string | null;
  /** Users whom it mentions. */
  mentionIds: string[];
  editedAt: Date | null;
  /** The message that it answers, which may be gone. */
  replyToId: string | null;
  /** Why an answer of the assistant is not whole. */
  incomplete: IncompleteReasonName | null;
  reactions: ReactionRecord[];
  /** The position of the event that added it; null where that has to be looked up. */
  position: string | null;
}

/** A message's place in its room's order: by score, and among equal scores by id. */
export interface Place {
  score: string;
  id: string;
}

const OURS = " }"; // no demo app writes a space there, whatever its clients make it store
const LONGEST_SENDER = 32; // characters; who is named by more is nobody

/**
 * Reads a member of a room's sorted set, ours or a demo app's.
 * @returns undefined for what is no message
 */
export function readMember(roomId: string, member: string, score: string): StoredMessage | undefined {
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
    fromId: String(from),
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
 * Reads a message as `message_send` and `message_edit` store it.
 * @returns undefined for what does not look like it
 */
export function readOurs(
  roomId: string,
  { id, from, message, clientMessageId, replyTo, editedAt, mentions, incomplete }: Record<string, unknown>,
): StoredMessage | undefined {
  if (typeof id !== "string" || typeof from !== "string" || typeof message !== "string") return undefined;
  const place = parseMessageId(id);
  if (place?.roomId !== roomId) return undefined;
  return {
    id,
    roomId,
    fromId: from,
    text: message,
    sentAt: new Date(place.micros === undefined ? secondsOf(place.score) * 1_000 : place.micros / 1_000),
    clientMessageId: typeof clientMessageId === "string" ? clientMessageId : null,
    mentionIds: Array.isArray(mentions) ? mentions.filter((id) => typeof id === "string") : [],
    editedAt: typeof editedAt === "number" ? new Date(editedAt / 1_000) : null,
    replyToId: typeof replyTo === "string" && parseMessageId(replyTo)?.roomId === roomId ? replyTo : null,
    incomplete: Object.values(IncompleteReason).find((reason) => reason === incomplete) ?? null,
    reactions: [],
    position: null,
  };
}

/** Earlier is negative. */
export function comparePlaces(one: Place, other: Place): number {
  return numberOf(one.score) - numberOf(other.score) || (one.id < other.id ? -1 : Number(one.id > other.id));
}

/** Whether a message with this id, that Palaver wrote, is where it belongs. */
function isPlacedAt(id: string, score: string): boolean {
  const { micros, score: own } = parseMessageId(id) as MessageId;
  return micros === undefined ? Number(own) === Number(score) : micros === Math.round(Number(score) * 1_000_000);
}

/** Messages of the demo apps have no id. This one stays the same as long as the message does. */
function foreignId(roomId: string, member: string, score: string): string {
  return `${roomId}/${plainScore(score)}-${createHash("sha1").update(member).digest("hex").slice(0, 16)}`;
}

/** As `room_log` tells members of others apart. */
export function digestOf(member: string): string {
  const bytes = Buffer.from(member);
  return createHash("sha1").update(bytes.subarray(0, 1_024)).update(String(bytes.length)).digest("hex").slice(0, 16);
}

/** A score as ids have it, whatever the version of Redis says of a fraction: see `lua/shared/message_id.lua`. */
function plainScore(score: string): string {
  if (!score.includes(".") || score.includes("e")) return score;
  const micros = Number(score).toFixed(6).replace(/0+$/, "");
  return Number(micros) === Number(score) ? micros : score;
}

const PYTHON = /^\{"\w+": /; // json.dumps puts a space behind each colon
const FROM_FIRST = /^\{"from":/i; // Java's and .NET's objects, which escape nothing, and what Node seeds, which needs no escape
const ENTITIES: Record<string, string> = { "&amp;": "&", "&quot;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">" };

/**
 * The text of a demo app's message as it was typed. They store it escaped for a page, each in its own way: the Flask
 * app with entities, the Node app only angle brackets, and those without semicolons.
 */
function asTyped(member: string, text: string): string {
  if (PYTHON.test(member)) return text.replace(/&(?:amp|quot|#39|lt|gt);/g, (entity) => ENTITIES[entity] as string);
  if (FROM_FIRST.test(member)) return text;
  return text.replace(NODE_ESCAPES, (found) => (found.startsWith("?") ? found.replace(IN_QUERY, undoNode) : undoNode(found)));
}

/**
 * The Node app leaves a typed `&` alone, so its escapes can also have been typed. These are taken as typed: an entity with its semicolon,
 * which the app never writes, and a parameter in the query of a URL. Both expressions take each character once, however long the text is.
 */
const NODE_ESCAPES = /\?[\w.~%=&+:/,;@!$()*-]+|&[lg]t;?/g;
const IN_QUERY = /&[lg]t(?:;|\w*=?)/g;

function undoNode(found: string): string {
  if (found.endsWith(";") || found.endsWith("=")) return found;
  return ENTITIES[`${found.slice(0, 3)};`] + found.slice(3);
}

/** The number that a score is; Redis has infinite ones, too. */
function numberOf(score: string): number {
  return Number(score.replace("inf", "Infinity"));
}

/** The time that a score says. Scores are seconds; some of the demo apps' clients sent milliseconds. */
export function secondsOf(score: string): number {
  const number = numberOf(score);
  const seconds = number > 100_000_000_000 ? number / 1_000 : number; // as seconds, that would be the year 5138
  return Math.abs(seconds) <= LAST_SECOND ? seconds : 0;
}

const LAST_SECOND = 8_640_000_000_000; // that a Date can hold

function parse(member: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(member);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
