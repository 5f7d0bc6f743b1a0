import type { MessagePartsFragment as Message } from "../gql/graphql";
import { asDay } from "../time";
import type { Outgoing } from "./outbox";

/** What stands in the list of a room's messages, from top to bottom. */
export type Row =
  | { kind: "begin"; key: string }
  | { kind: "day"; key: string; day: string }
  | { kind: "new"; key: string }
  /** `follows`: the same person goes on soon after, so their name is not repeated. */
  | { kind: "message"; key: string; message: Message; follows: boolean }
  | { kind: "outgoing"; key: string; outgoing: Outgoing };

const PAUSE = 5 * 60_000; // ms after which the sender's name is repeated

/**
 * The rows of a stretch of messages: days are told apart, messages that follow each other closely stand together.
 * @param divider the message that was the last one read: what is new begins after it; undefined where nothing is new
 */
export function toRows(
  messages: readonly Message[],
  outgoing: readonly Outgoing[],
  { isBegin, divider, me }: { isBegin: boolean; divider: string | null | undefined; me: string },
): Row[] {
  const rows: Row[] = isBegin ? [{ kind: "begin", key: "begin" }] : [];
  let isNew = divider === null && isBegin;
  // What a row looks like depends on the one before. So the first message waits for those before it: no row that is there changes, or
  // grows, when older ones come.
  const isContext = !isBegin && messages.length > 1;
  let previous = isContext ? messages[0] : undefined;
  for (const message of isContext ? messages.slice(1) : messages) {
    const day = asDay(message.sentAt);
    const isNewDay = !previous || asDay(previous.sentAt) !== day;
    if (isNewDay) rows.push({ kind: "day", key: `day ${day}`, day });
    const divides = isNew && message.from.id !== me;
    if (divides) {
      rows.push({ kind: "new", key: "new" });
      isNew = false;
    }
    rows.push({ kind: "message", key: message.id, message, follows: !isNewDay && !divides && follows(previous, message) });
    if (message.id === divider) isNew = true;
    previous = message;
  }
  const stored = new Set(messages.filter(({ from }) => from.id === me).map(({ clientMessageId }) => clientMessageId));
  for (const one of outgoing)
    if (!stored.has(one.clientMessageId)) rows.push({ kind: "outgoing", key: one.clientMessageId, outgoing: one });
  return rows;
}

function follows(previous: Message | undefined, { from, sentAt, replyToId }: Message): boolean {
  return previous?.from.id === from.id && replyToId === null && Date.parse(sentAt) - Date.parse(previous.sentAt) < PAUSE;
}
