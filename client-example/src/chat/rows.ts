import type { MessagePartsFragment as Message } from "../gql/graphql";
import type { Reply } from "../hooks/useReply";
import { asDay } from "../time";
import type { Outgoing } from "./outbox";

/** What stands in the list of a room's messages, from top to bottom. */
export type Row =
  | { kind: "begin"; key: string }
  | { kind: "day"; key: string; day: string }
  | { kind: "new"; key: string }
  /** `follows`: the same person goes on soon after, so their name is not repeated. */
  | { kind: "message"; key: string; message: Message; follows: boolean }
  | { kind: "outgoing"; key: string; outgoing: Outgoing }
  | { kind: "reply"; key: string; reply: Reply };

const PAUSE = 5 * 60_000; // ms after which the sender's name is repeated

/**
 * The rows of a stretch of messages: days are told apart, messages that follow each other closely stand together.
 * @param isBegin the room begins with them
 * @param divider the message that was the last one read: what is new begins after it; undefined where nothing is new
 * @param reply what the assistant writes, or wrote: it is left out once the message that it became is there
 */
export function toRows(
  messages: readonly Message[],
  outgoing: readonly Outgoing[],
  { isBegin, divider, me, reply }: { isBegin: boolean; divider: string | null | undefined; me: string; reply: Reply | undefined },
): Row[] {
  const rows: Row[] = isBegin ? [{ kind: "begin", key: "begin" }] : [];
  let isNew = divider === null && isBegin;
  // What a row looks like depends on the one before. So the first message waits for those before it: no row that is there changes, or
  // grows, when older ones come.
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

const days = new WeakMap<Message, string>(); // of 10,000 messages it takes a while, and they do not change

/** Which day it is, here, when the message is sent. */
function dayOf(message: Message): string {
  const known = days.get(message);
  if (known !== undefined) return known;
  const day = new Date(message.sentAt).toDateString();
  days.set(message, day);
  return day;
}

function follows(previous: Message | undefined, { from, sentAt, replyToId }: Message): boolean {
  return previous?.from.id === from.id && replyToId === null && Date.parse(sentAt) - Date.parse(previous.sentAt) < PAUSE;
}

function isWanted({ replyTo, state, text }: Reply, messages: readonly Message[]): boolean {
  if (state === "WRITING" || state === "FAILED") return true;
  return text !== "" && !messages.some((message) => message.replyToId === replyTo && message.text === text); // one question may have several
}
