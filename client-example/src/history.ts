import type { MessagePartsFragment as Message } from "./gql/graphql";

/** The part of a room's history that is loaded: everything from its oldest message on. */
export interface History {
  /** Oldest first. */
  messages: Message[];
  /** Where to go on to what is older; null where the room begins. */
  before: string | null;
}

/** The history with more messages, each once, in order. */
export function withMessages(history: History, added: Message[]): History {
  const byId = new Map([...history.messages, ...added].map((message) => [message.id, message]));
  return { ...history, messages: [...byId.values()].sort(bySentAt) };
}

/** The history with messages that arrived. One from before its beginning is left out: it comes with its page. */
export function withArrivals(history: History, arrived: Message[]): History {
  const begin = history.before === null ? "" : (history.messages[0]?.sentAt ?? "");
  return withMessages(
    history,
    arrived.filter(({ sentAt }) => sentAt >= begin),
  );
}

/** Sorting is stable: messages of the same millisecond stay in the server's order. */
const bySentAt = (one: Message, other: Message) => (one.sentAt < other.sentAt ? -1 : one.sentAt > other.sentAt ? 1 : 0);
