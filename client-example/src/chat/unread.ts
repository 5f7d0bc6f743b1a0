/** How much of a room is unread: the server's count at one position, and the events since. Pure. */
export interface Unread {
  readonly count: number;
  /** How many of them mention the user. */
  readonly mentions: number;
  /** The position at which the server counted, until events reach it: up to there they are already in the count. */
  readonly asOf: string | undefined;
  /** The last events, so that a late count from the server finds its place among them. */
  readonly recent: readonly Counted[];
}

/** An event and what it adds to the counts. */
export interface Counted {
  position: string;
  count: 0 | 1;
  mentions: 0 | 1;
}

export const NOTHING_UNREAD: Unread = { count: 0, mentions: 0, asOf: undefined, recent: [] };

const REMEMBERED = 100; // events; a count that comes later than that is corrected by the next count

/** The unread state after an event of the room. */
export function afterEvent(unread: Unread, event: Counted): Unread {
  const recent = [...unread.recent.slice(1 - REMEMBERED), event];
  if (unread.asOf !== undefined) return { ...unread, recent, asOf: unread.asOf === event.position ? undefined : unread.asOf };
  return { count: unread.count + event.count, mentions: unread.mentions + event.mentions, asOf: undefined, recent };
}

/**
 * The unread state with the server's count at `position`, which may be before or after the events received so far.
 * @param heard the position of the newest event received
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

/** The unread state after the user has read everything. A count that is still on its way is from before that. */
export const afterReading = ({ recent }: Unread): Unread => ({ count: 0, mentions: 0, asOf: undefined, recent });
