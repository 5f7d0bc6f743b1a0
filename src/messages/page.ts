import { badInput } from "../errors.js";
import type { Page, PageRequest } from "../relay.js";
import { readReactions } from "./reaction.js";
import { comparePlaces, type Place, readMember, type StoredMessage } from "./stored-message.js";

/** A message with its place in the room's order. */
export type Placed = StoredMessage & Place;

/** A member of a room's sorted set, its score, and the message's reactions as JSON, `""` for none. */
export type RawMessage = [member: string, score: string, reactions: string];

/** A stretch of a room's sorted set, as it was read: raw members with their scores, and what lies behind its near end. */
export interface Stretch {
  members: RawMessage[];
  /** Whether the set goes on at the far end, or the reading stopped because it had enough. */
  cut: boolean;
  /** Where it goes on if it was cut: a bound of scores, and how many behind it have been read. */
  next: { near: string; offset: number };
  /** How many members lie behind the near end, that is, beyond the cursor's score. */
  behind: number;
  /** Members that were passed by, as they are known to be no messages. */
  skipped: number;
}

/** A page, and how many members on the way to it were no messages. */
export type CutPage = Page<Placed> & { unreadable: number };

/**
 * Cuts a page out of a stretch. Redis orders equal scores by their bytes, which an edit changes; we order them by id.
 * So the page is only certain where each score's messages were read whole.
 * @returns undefined where more has to be read
 */
export function cutPage(roomId: string, { from, limit, after, before }: PageRequest<Place>, stretch: Stretch): CutPage | undefined {
  const { messages, unreadable } = readWhole(roomId, stretch);
  const between = messages.filter(
    (message) => (!after || comparePlaces(message, after) > 0) && (!before || comparePlaces(message, before) < 0),
  );
  if (between.length <= limit && stretch.cut) return undefined;

  const more = between.length > limit;
  return from === "start"
    ? {
        unreadable,
        nodes: between.slice(0, limit),
        hasNextPage: more || (before !== undefined && messages.some((message) => comparePlaces(message, before) >= 0)),
        hasPreviousPage: stretch.behind > 0 || (after !== undefined && messages.some((message) => comparePlaces(message, after) <= 0)),
      }
    : {
        unreadable,
        nodes: between.slice(Math.max(0, between.length - limit)),
        hasNextPage: stretch.behind > 0 || (before !== undefined && messages.some((message) => comparePlaces(message, before) >= 0)),
        hasPreviousPage: more || (after !== undefined && messages.some((message) => comparePlaces(message, after) <= 0)),
      };
}

/** A message with so many before and after it. */
export interface WindowRequest {
  id: string;
  before: number;
  after: number;
}

/**
 * Cuts a window around a message out of what lies on both sides of it: `older` has those of its own score, too.
 * @returns undefined where more has to be read, "gone" where the message is not there
 */
export function cutWindow(
  roomId: string,
  { id, before, after }: WindowRequest,
  score: string,
  older: Pick<Stretch, "members" | "cut">,
  newer: Pick<Stretch, "members" | "cut">,
): CutPage | "gone" | undefined {
  const [behind, ahead] = [readWhole(roomId, older), readWhole(roomId, newer)];
  const messages = [...behind.messages, ...ahead.messages];
  const index = messages.findIndex((message) => message.id === id);
  if (index < 0) return older.cut && Number(older.members.at(-1)?.[1] ?? score) === Number(score) ? undefined : "gone";
  const last = index + after;
  if ((older.cut && index <= before) || (newer.cut && last >= messages.length - 1)) return undefined;
  return {
    unreadable: behind.unreadable + ahead.unreadable,
    nodes: messages.slice(Math.max(0, index - before), last + 1),
    hasPreviousPage: index > before,
    hasNextPage: last < messages.length - 1,
  };
}

/** The messages of those scores that were read whole, in their order, and how many members of these are none. */
function readWhole(roomId: string, { members, cut }: Pick<Stretch, "members" | "cut">): { messages: Placed[]; unreadable: number } {
  const lastScore = members.at(-1)?.[1];
  const whole = cut ? members.filter(([, score]) => score !== lastScore) : members;
  const read = whole.map((raw) => readPlaced(roomId, raw)).filter((message) => message !== undefined);
  // A message of a demo app that was edited here has the id of its first bytes; who writes those once more adds none.
  const edited = new Set(read.flatMap(({ id, editedAt }) => (editedAt ? [id] : [])));
  const messages = read.filter(({ id, editedAt }) => editedAt || !edited.has(id)).sort(comparePlaces);
  return { messages, unreadable: whole.length - read.length };
}

/** Reads a member of a room, with its reactions; undefined for what is no message. */
export function readPlaced(roomId: string, [member, score, reactions]: RawMessage): Placed | undefined {
  const message = readMember(roomId, member, score);
  return message && { ...message, score, reactions: reactions === "" ? [] : readReactions(JSON.parse(reactions)) };
}

/** The opaque string that clients get; it names its room, so that another room's is noticed. */
export function encodeCursor(roomId: string, { score, id }: Place): string {
  return Buffer.from(JSON.stringify([roomId, score, id])).toString("base64url");
}

/** @throws ChatError BAD_USER_INPUT that names the argument, for anything that encodeCursor did not make for this room */
export function decodeCursor(roomId: string, cursor: string, argument: string): Place {
  const place = placeIn(cursor);
  if (place?.roomId !== roomId || encodeCursor(roomId, place) !== cursor)
    throw badInput(argument, "must be a cursor of this room's messages, as this API gave it.");
  return place;
}

function placeIn(cursor: string): (Place & { roomId: string }) | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (!Array.isArray(value) || !value.every((part) => typeof part === "string")) return undefined;
    const [roomId, score, id] = value as string[];
    return roomId !== undefined && score !== undefined && id !== undefined && /^-?(\d+(\.\d+)?(e[+-]?\d+)?|inf)$/.test(score)
      ? { roomId, score, id }
      : undefined;
  } catch {
    return undefined;
  }
}
