import type { MessagePartsFragment as Message, PagePartsFragment as Page, RoomEventsSubscription } from "../gql/graphql";

export type RoomEvent = RoomEventsSubscription["roomEvents"];

/** A stretch of a room's history without gaps. Pure. */
export interface Timeline {
  /** Oldest first; at most `2 * MOST`. */
  readonly messages: readonly Message[];
  /** Null where the room begins. */
  readonly older: End;
  /** Null where the stretch reaches the newest message, and grows with what arrives. */
  readonly newer: End;
}

/** Where to go on at an end of a stretch: from a cursor, or, without one, from the message that is the last one there. */
export type End = { readonly cursor?: string | null } | null;

/** The messages that a timeline may have before the end that is further from the reader is dropped. */
export const MOST = 200;

const LEFT = 150; // of them, after that: a page fits in before it happens again

/** Which page was asked for: the newest or one around a message instead of what is there, or one more at either end. */
export type PageKind = "newest" | "around" | "older" | "newer";

/** The timeline with a page in its place. */
export function withPage(timeline: Timeline | undefined, page: Page, kind: PageKind): Timeline {
  const { hasPreviousPage, startCursor, hasNextPage, endCursor } = page.pageInfo;
  const older = hasPreviousPage ? { cursor: startCursor } : null;
  const newer = hasNextPage ? { cursor: endCursor } : null;
  if (!timeline || kind === "newest" || kind === "around") return { messages: page.nodes, older, newer: kind === "newest" ? null : newer };
  const known = new Set(timeline.messages.map(({ id }) => id));
  // A page around the last message of the stretch has known ones in its other half.
  const isKnown = page.nodes.map(({ id }) => known.has(id));
  if (kind === "older") {
    const fresh = isKnown.includes(true) ? page.nodes.slice(0, isKnown.indexOf(true)) : page.nodes;
    return { ...timeline, messages: [...fresh, ...timeline.messages], older };
  }
  return { ...timeline, messages: [...timeline.messages, ...page.nodes.slice(isKnown.lastIndexOf(true) + 1)], newer };
}

/** The timeline without the messages at one of its ends, where it has grown too long. They are loaded again on the way there. */
export function trimmed(timeline: Timeline, end: "older" | "newer"): Timeline {
  const { messages } = timeline;
  if (messages.length <= MOST) return timeline;
  return end === "older"
    ? { ...timeline, messages: messages.slice(-LEFT), older: {} }
    : { ...timeline, messages: messages.slice(0, LEFT), newer: {} };
}

/**
 * The timeline after an event. Each says how something is from then on, so it does no harm to apply one again, or one that
 * a page has in it already: when all that were told have been applied, everything is as it is at the server.
 */
export function afterEvent(timeline: Timeline, event: RoomEvent): Timeline {
  switch (event.__typename) {
    case "MessageAdded":
      return withMessage(timeline, event.message);
    case "MessageEdited":
    case "ReactionChanged":
      return withChange(timeline, event.message);
    case "MessageDeleted":
      return without(timeline, event.messageId);
    default:
      return timeline;
  }
}

/** With a message that arrived. One from beyond the stretch is left out: it comes with its page. */
export function withMessage(timeline: Timeline, message: Message): Timeline {
  const { messages, older, newer } = timeline;
  if (messages.some(({ id }) => id === message.id)) return timeline;
  // Of the same millisecond, what arrives later is later. Only what others on this Redis date is ever not the last.
  const place = messages.findLastIndex(({ sentAt }) => sentAt <= message.sentAt) + 1;
  if (place === 0 && older !== null) return timeline;
  if (place === messages.length && newer !== null) return timeline;
  const next = { ...timeline, messages: messages.toSpliced(place, 0, message) };
  return next.messages.length > 2 * MOST ? trimmed(next, "older") : next; // of a room that is not on the screen
}

/** With a message as it is now, and with what quotes it. */
export function withChange(timeline: Timeline, changed: Message): Timeline {
  return mapped(timeline, (message) => {
    // An event has the message that is answered as it is when the event is told; what is known here may be older.
    if (message.id === changed.id) return changed;
    return message.replyTo?.id === changed.id ? { ...message, replyTo: { ...message.replyTo, text: changed.text } } : message;
  });
}

function without(timeline: Timeline, id: string): Timeline {
  const left = mapped(timeline, (message) => (message.replyTo?.id === id ? { ...message, replyTo: null } : message));
  if (!left.messages.some((message) => message.id === id)) return left;
  return { ...left, messages: left.messages.filter((message) => message.id !== id) };
}

/** The same object where nothing changes. */
function mapped(timeline: Timeline, change: (message: Message) => Message): Timeline {
  let changed = false;
  const messages = timeline.messages.map((message) => {
    const next = change(message);
    changed ||= next !== message;
    return next;
  });
  return changed ? { ...timeline, messages } : timeline;
}
