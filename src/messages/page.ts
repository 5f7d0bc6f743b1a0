import type { Page, PageRequest } from "../api/relay.js";
import { badInput } from "../util/errors.js";
import type { RoomId } from "../util/ids.js";
import { readReactions } from "./reaction.js";
import { comparePlaces, type Place, readMember, type StoredMessage } from "./stored-message.js";

/** A message with its place in the room's order. */
export type Placed = StoredMessage & Place;

/** A member of a room's sorted set, its score, and the message's reactions as JSON, `""` for none. */
export type RawMessage = [member: string, score: string, reactions: string];

/** A range of a room's sorted set as it was read: raw members with their scores, and how many lie before its near end. */
export interface HistoryRange {
  members: RawMessage[];
  /** Whether more members follow at the far end: the read stopped because it had enough. */
  cut: boolean;
  /** Where to continue if it was cut: a score bound, and how many members at that bound have been read. */
  next: { near: string; offset: number };
  /** How many members lie before the near end, that is, on the other side of the cursor's score. */
  behind: number;
  /** How many members were skipped because they are known not to be messages. */
  skipped: number;
}

/** A page, and how many of the members read for it were not messages. */
export type CutPage = Page<Placed> & { unreadable: number };

/**
 * Cuts a page out of a range. Redis orders members of equal score by their bytes, which an edit changes; the API orders them by id.
 * So the page is certain only if all messages of each of its scores were read.
 * @returns undefined if more has to be read
 */
export function cutPage(roomId: RoomId, { from, limit, after, before }: PageRequest<Place>, range: HistoryRange): CutPage | undefined {
  const { messages, unreadable } = readWhole(roomId, range);
  const between = messages.filter(
    (message) => (!after || comparePlaces(message, after) > 0) && (!before || comparePlaces(message, before) < 0),
  );
  if (between.length <= limit && range.cut) return undefined;

  const more = between.length > limit;
  return from === "start"
    ? {
        unreadable,
        nodes: between.slice(0, limit),
        hasNextPage: more || (before !== undefined && messages.some((message) => comparePlaces(message, before) >= 0)),
        hasPreviousPage: range.behind > 0 || (after !== undefined && messages.some((message) => comparePlaces(message, after) <= 0)),
      }
    : {
        unreadable,
        nodes: between.slice(Math.max(0, between.length - limit)),
        hasNextPage: range.behind > 0 || (before !== undefined && messages.some((message) => comparePlaces(message, before) >= 0)),
        hasPreviousPage: more || (after !== undefined && messages.some((message) => comparePlaces(message, after) <= 0)),
      };
}

/** A message, and how many messages to show before and after it. */
export interface WindowRequest {
  id: string;
  before: number;
  after: number;
}

/**
 * Cuts a window around a message out of the ranges on both sides of it; `older` includes the messages of the same score.
 * @returns undefined if more has to be read, "gone" if the message does not exist
 */
export function cutWindow(
  roomId: RoomId,
  { id, before, after }: WindowRequest,
  score: string,
  older: Pick<HistoryRange, "members" | "cut">,
  newer: Pick<HistoryRange, "members" | "cut">,
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

/** The messages of the scores that were read completely, in order, and how many members of these scores are not messages. */
function readWhole(roomId: RoomId, { members, cut }: Pick<HistoryRange, "members" | "cut">): { messages: Placed[]; unreadable: number } {
  const lastScore = members.at(-1)?.[1];
  const whole = cut ? members.filter(([, score]) => score !== lastScore) : members;
  const read = whole.map((raw) => readPlaced(roomId, raw)).filter((message) => message !== undefined);
  // A demo app's message that was edited here keeps the id of its original bytes; storing these bytes again adds no message.
  const edited = new Set(read.flatMap(({ id, editedAt }) => (editedAt ? [id] : [])));
  const messages = read.filter(({ id, editedAt }) => editedAt || !edited.has(id)).sort(comparePlaces);
  return { messages, unreadable: whole.length - read.length };
}

/** Parses a member of a room, with its reactions; undefined if it is not a message. */
export function readPlaced(roomId: RoomId, [member, score, reactions]: RawMessage): Placed | undefined {
  const message = readMember(roomId, member, score);
  return message && { ...message, score, reactions: reactions === "" ? [] : readReactions(JSON.parse(reactions)) };
}

/** The opaque string that clients get. It names its room, so that the server can refuse it in another room. */
export function encodeCursor(roomId: RoomId, { score, id }: Place): string {
  return Buffer.from(JSON.stringify([roomId, score, id])).toString("base64url");
}

/** @throws ChatError BAD_USER_INPUT that names the argument, for any string that encodeCursor did not return for this room */
export function decodeCursor(roomId: RoomId, cursor: string, argument: string): Place {
  const place = placeIn(cursor);
  if (place?.roomId !== roomId || encodeCursor(roomId, place) !== cursor)
    throw badInput(argument, "must be a cursor that `messages` returned for this room.");
  return place;
}

function placeIn(cursor: string): (Place & { roomId: RoomId }) | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString());
    if (!Array.isArray(value) || !value.every((part) => typeof part === "string")) return undefined;
    const [roomId, score, id] = value as string[];
    return roomId !== undefined && score !== undefined && id !== undefined && /^-?(\d+(\.\d+)?(e[+-]?\d+)?|inf)$/.test(score)
      ? { roomId: roomId as RoomId, score, id }
      : undefined;
  } catch {
    return undefined;
  }
}
