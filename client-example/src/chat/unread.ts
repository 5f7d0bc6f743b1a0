/** How much of a room is unread: what the server counted at one moment, and what happened since. Pure. */
export interface Unread {
  readonly count: number;
  /** Those of them that mention the user. */
  readonly mentions: number;
  /** The position at which the server counted, until events have come this far: up to there they are in the count. */
  readonly asOf: string | undefined;
  /** The last events, so that a count of the server's that comes late finds its place among them. */
  readonly recent: readonly Counted[];
}

/** An event, and what it adds. */
export interface Counted {
  position: string;
  count: 0 | 1;
  mentions: 0 | 1;
}

export const NOTHING_UNREAD: Unread = { count: 0, mentions: 0, asOf: undefined, recent: [] };

const REMEMBERED = 100; // events; a count that comes later than so many is right again with the next

/** After an event of the room. */
export function afterEvent(unread: Unread, event: Counted): Unread {
  const recent = [...unread.recent.slice(1 - REMEMBERED), event];
  if (unread.asOf !== undefined) return { ...unread, recent, asOf: unread.asOf === event.position ? undefined : unread.asOf };
  return { count: unread.count + event.count, mentions: unread.mentions + event.mentions, asOf: undefined, recent };
}

/**
 * With what the server counts when the room stands at `position`, which may be before or after what has been heard.
 * @param heard the position of the newest event that was heard
 */
export function withCount(
  { recent }: Unread,
  { count, mentions, position }: { count: number; mentions: number; position: string },
  heard: string,
): Unread {
  const at = recent.findLastIndex((event) => event.position === position);
  if (at === -1) return { count, mentions, recent, asOf: position === heard ? undefined : position };
  const later = recent.slice(at + 1);
  return {
    count: later.reduce((sum, event) => sum + event.count, count),
    mentions: later.reduce((sum, event) => sum + event.mentions, mentions),
    asOf: undefined,
    recent,
  };
}

/** After the user has read everything. A count that is on its way is of before. */
export const afterReading = ({ recent }: Unread): Unread => ({ count: 0, mentions: 0, asOf: undefined, recent });
