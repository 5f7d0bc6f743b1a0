import { badInput } from "../errors.js";
import type { Page, PageRequest } from "../relay.js";
import { comparePlaces, type Place, readMember, type StoredMessage } from "./stored-message.js";

/** A message with its place in the room's order. */
export type Placed = StoredMessage & Place;

/** A stretch of a room's sorted set, as it was read: raw members with their scores, and what lies behind its near end. */
export interface Stretch {
  members: [member: string, score: string][];
  /** Whether the set goes on at the far end, or the reading stopped because it had enough. */
  cut: boolean;
  /** How many members lie behind the near end, that is, beyond the cursor's score. */
  behind: number;
}

/** A page, and how many members on the way to it were no messages. */
export type CutPage = Page<Placed> & { unreadable: number };

/**
 * Cuts a page out of a stretch. Redis orders equal scores by their bytes, which an edit changes; we order them by id.
 * So the page is only certain where each score's messages were read whole.
 * @returns undefined where more has to be read
 */
export function cutPage(roomId: string, { from, limit, after, before }: PageRequest<Place>, stretch: Stretch): CutPage | undefined {
  const lastScore = stretch.members.at(-1)?.[1];
  const whole = stretch.cut ? stretch.members.filter(([, score]) => score !== lastScore) : stretch.members;
  const messages = whole
    .map(([member, score]) => {
      const message = readMember(roomId, member, score);
      return message && { ...message, score };
    })
    .filter((message) => message !== undefined)
    .sort(comparePlaces);

  const between = messages.filter(
    (message) => (!after || comparePlaces(message, after) > 0) && (!before || comparePlaces(message, before) < 0),
  );
  if (between.length <= limit && stretch.cut) return undefined;

  const more = between.length > limit;
  const unreadable = whole.length - messages.length;
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
