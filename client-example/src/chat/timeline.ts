import type { MessagePartsFragment as Message, PagePartsFragment as Page, RoomEventsSubscription } from "../gql/graphql";

export type RoomEvent = RoomEventsSubscription["roomEvents"];

/** A range of a room's history without gaps. Pure. */
export interface Timeline {
  /** Oldest first; at most `2 * MOST`. */
  readonly messages: readonly Message[];
  /** Null if the range starts at the room's beginning. */
  readonly older: End;
  /** Null if the range reaches the newest message; it then grows with new messages. */
  readonly newer: End;
}

/** Where to continue at an end of a range: from a cursor or, without one, from the last message at that end. */
export type End = { readonly cursor?: string | null } | null;

/** The most messages of a timeline before it is trimmed at the end further from the reader. */
export const MOST = 200;

const LEFT = 150; // messages left after a trim; a page fits in before the next trim

/** Which page was requested: the newest or one around a message, which replaces the timeline, or one more at either end. */
export type PageKind = "newest" | "around" | "older" | "newer";

/** The timeline with a page added, or replaced by it for `newest` and `around`. */
export function withPage(timeline: Timeline | undefined, page: Page, kind: PageKind): Timeline {
  const { hasPreviousPage, startCursor, hasNextPage, endCursor } = page.pageInfo;
  const older = hasPreviousPage ? { cursor: startCursor } : null;
  const newer = hasNextPage ? { cursor: endCursor } : null;
  if (!timeline || kind === "newest" || kind === "around") return { messages: page.nodes, older, newer: kind === "newest" ? null : newer };
  const known = new Set(timeline.messages.map(({ id }) => id));
  // A page around the message at an end of the range has known messages in its other half.
  const isKnown = page.nodes.map(({ id }) => known.has(id));
  if (kind === "older") {
    const fresh = isKnown.includes(true) ? page.nodes.slice(0, isKnown.indexOf(true)) : page.nodes;
    return { ...timeline, messages: [...fresh, ...timeline.messages], older };
  }
  return { ...timeline, messages: [...timeline.messages, ...page.nodes.slice(isKnown.lastIndexOf(true) + 1)], newer };
}

/** The timeline, trimmed at one end if it has grown too long. The messages are loaded again when the reader gets there. */
export function trimmed(timeline: Timeline, end: "older" | "newer"): Timeline {
  const { messages } = timeline;
  if (messages.length <= MOST) return timeline;
  return end === "older"
    ? { ...timeline, messages: messages.slice(-LEFT), older: {} }
    : { ...timeline, messages: messages.slice(0, LEFT), newer: {} };
}

/**
 * The timeline after an event. Each event states the resulting state, so it is safe to apply one twice, or one that a page already
 * includes: once all delivered events are applied, the timeline is as the server has it.
 */
export function afterEvent(timeline: Timeline, event: RoomEvent): Timeline {
  switch (event.__typename) {
    case "MessageAdded":
      return inEventOrder(withMessage(timeline, event.message), event.message.id);
    case "MessageEdited":
    case "ReactionChanged":
      return withChange(timeline, event.message);
    case "MessageDeleted":
      return without(timeline, event.messageId);
    default:
      return timeline;
  }
}

/** The timeline with a message that arrived. A message outside the range is left out: it comes with its page. */
export function withMessage(timeline: Timeline, message: Message): Timeline {
  const { messages, older, newer } = timeline;
  if (messages.some(({ id }) => id === message.id)) return timeline;
  // Within one millisecond, the later arrival is later. Only messages that demo apps date are ever not the last.
  const place = messages.findLastIndex(({ sentAt }) => sentAt <= message.sentAt) + 1;
  if (place === 0 && older !== null) return timeline;
  if (place === messages.length && newer !== null) return timeline;
  const next = { ...timeline, messages: messages.toSpliced(place, 0, message) };
  return next.messages.length > 2 * MOST ? trimmed(next, "older") : next; // in a room that is not on the screen
}

/**
 * The timeline with a message after the others of its millisecond: events arrive in the server's order, and the answer to a send may have
 * come before the events of earlier messages.
 */
function inEventOrder(timeline: Timeline, id: string): Timeline {
  const { messages } = timeline;
  const place = messages.findLastIndex((message) => message.id === id);
  const { sentAt } = messages[place] ?? {};
  if (place < 0 || messages[place + 1]?.sentAt !== sentAt) return timeline;
  const last = messages.findLastIndex((message) => message.sentAt === sentAt);
  return { ...timeline, messages: messages.toSpliced(place, 1).toSpliced(last, 0, messages[place] as Message) };
}

/** The timeline with a changed message, also where other messages quote it. */
export function withChange(timeline: Timeline, changed: Message): Timeline {
  return mapped(timeline, (message) => {
    // An event carries the quoted message as of its delivery; the copy here may be older.
    if (message.id === changed.id) return changed;
    return message.replyTo?.id === changed.id ? { ...message, replyTo: { ...message.replyTo, text: changed.text } } : message;
  });
}

function without(timeline: Timeline, id: string): Timeline {
  const left = mapped(timeline, (message) => (message.replyTo?.id === id ? { ...message, replyTo: null } : message));
  if (!left.messages.some((message) => message.id === id)) return left;
  return { ...left, messages: left.messages.filter((message) => message.id !== id) };
}

/** Returns the same object if nothing changes. */
function mapped(timeline: Timeline, change: (message: Message) => Message): Timeline {
  let changed = false;
  const messages = timeline.messages.map((message) => {
    const next = change(message);
    changed ||= next !== message;
    return next;
  });
  return changed ? { ...timeline, messages } : timeline;
}
