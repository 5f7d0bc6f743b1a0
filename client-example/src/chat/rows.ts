import type { MessagePartsFragment as Message } from "../gql/graphql";
import type { Reply } from "../hooks/useReply";
import { asDay } from "../time";
import type { Outgoing } from "./outbox";

/** A row in the list of a room's messages. */
export type Row =
  | { kind: "begin"; key: string }
  | { kind: "day"; key: string; day: string }
  | { kind: "new"; key: string }
  /** `follows`: the same sender's previous message is recent, so the name is not repeated. */
  | { kind: "message"; key: string; message: Message; follows: boolean }
  | { kind: "outgoing"; key: string; outgoing: Outgoing }
  | { kind: "reply"; key: string; reply: Reply };

const NAME_REPEATED_AFTER = 5 * 60_000; // ms after which the sender's name is repeated

/**
 * The rows of a range of messages, separated by day. A sender's messages in close succession are grouped.
 * @param isBegin whether the range starts at the room's beginning
 * @param divider the last message read, after which the new ones begin; null for the room's beginning, undefined if nothing is new
 * @param reply the assistant's answer, unfinished or finished; it is left out once its message is among `messages`
 */
export function toRows(
  messages: readonly Message[],
  outgoing: readonly Outgoing[],
  { isBegin, divider, me, reply }: { isBegin: boolean; divider: string | null | undefined; me: string; reply: Reply | undefined },
): Row[] {
  const rows: Row[] = isBegin ? [{ kind: "begin", key: "begin" }] : [];
  let isNew = divider === null && isBegin;
  // How a row looks depends on the message before it. So the first message is left out until older ones are loaded: no visible row
  // changes or grows when they arrive.
  const isContext = !isBegin && messages.length > 1;
  let previous = isContext ? messages[0] : undefined;
  for (const message of isContext ? messages.slice(1) : messages) {
    const isNewDay = !previous || dayOf(previous) !== dayOf(message);
    if (isNewDay) rows.push({ kind: "day", key: `day ${dayOf(message)}`, day: asDay(message.sentAt) });
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
  if (reply && isWanted(reply, messages)) rows.push({ kind: "reply", key: `reply ${reply.replyTo}`, reply });
  return rows;
}

const days = new WeakMap<Message, string>(); // computing the days of 10,000 messages is slow, and they do not change

/** The local day on which the message was sent. */
function dayOf(message: Message): string {
  const known = days.get(message);
  if (known !== undefined) return known;
  const day = new Date(message.sentAt).toDateString();
  days.set(message, day);
  return day;
}

function follows(previous: Message | undefined, { from, sentAt, replyToId }: Message): boolean {
  return previous?.from.id === from.id && replyToId === null && Date.parse(sentAt) - Date.parse(previous.sentAt) < NAME_REPEATED_AFTER;
}

function isWanted({ replyTo, state, text }: Reply, messages: readonly Message[]): boolean {
  if (state === "WRITING" || state === "FAILED") return true;
  return text !== "" && !messages.some((message) => message.replyToId === replyTo && message.text === text); // a question may have several
}
