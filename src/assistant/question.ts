import { isUserId } from "../api/ids.js";
import type { RoomEvent } from "../log/entry.js";
import { parseMessageId } from "../messages/message-id.js";
import type { RoomId, UserId } from "../util/ids.js";

/** A question to the assistant. */
export interface Question {
  roomId: RoomId;
  messageId: string;
  askerId: UserId;
  /** Empty for the first time that the question is asked; then `again/ANSWER`, `continue/ANSWER` or `edit/µs`. */
  attempt: string;
  /** The clientMessageId of its answer: it makes a second answer impossible. */
  answerId: string;
  /** The id of the incomplete answer to continue. */
  continues: string | undefined;
}

function questionOf(roomId: RoomId, messageId: string, askerId: UserId, attempt: string): Question {
  return { roomId, messageId, askerId, attempt, answerId: attempt || `answer/${messageId}`, continues: continuedBy(attempt) };
}

/** The question that an event asks; undefined for a malformed event. */
export function questionIn(roomId: RoomId, event: RoomEvent & Readonly<Record<string, unknown>>): Question | undefined {
  const { message, messageId, from, attempt = "" } = event;
  const said = typeof message === "object" && message !== null ? (message as Record<string, unknown>) : { id: messageId, from };
  const tried = event.kind === "message.edited" ? `edit/${event.at}` : message ? "" : attempt;
  if (typeof said.id !== "string" || typeof said.from !== "string" || !isUserId(said.from) || typeof tried !== "string") return undefined;
  return parseMessageId(said.id)?.roomId === roomId ? questionOf(roomId, said.id, said.from, tried) : undefined;
}

/** The id of the answer that the answer with this clientMessageId continues. */
export const continuedBy = (answerId: string) => /^continue\/(.+)$/.exec(answerId)?.[1];

/** The question of a message, asked again: to start over, or to continue an incomplete answer. */
export function askedAgain(
  { id, roomId, fromId }: { id: string; roomId: RoomId; fromId: UserId },
  answer?: { id: string; continues: boolean },
): Question {
  return questionOf(roomId, id, fromId, answer ? `${answer.continues ? "continue" : "again"}/${answer.id}` : "");
}

/** A question in a dead letter: `MESSAGE USER` or `MESSAGE ATTEMPT USER`. */
export const writeQuestion = ({ messageId, attempt, askerId }: Question) => [messageId, attempt, askerId].filter(Boolean).join(" ");

export function readQuestion(roomId: RoomId, entry: string): Question {
  const [messageId = "", ...others] = entry.split(" ");
  return questionOf(roomId, messageId, (others.at(-1) ?? "") as UserId, others.length > 1 ? (others[0] as string) : "");
}
