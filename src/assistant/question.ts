/** A question in its room's list: the message and the asker. */
export interface Question {
  roomId: string;
  /** The list's entry, unchanged. */
  entry: string;
  messageId: string;
  askerId: string;
  /** The clientMessageId of its answer: it makes a second answer impossible. */
  answerId: string;
  /** The id of the incomplete answer to continue. */
  continues: string | undefined;
}

/** Parses an entry of `asked`: `ID USER`, or `ID ATTEMPT USER` if the question is asked again. */
export function readQuestion(roomId: string, entry: string): Question {
  const [messageId = "", ...others] = entry.split(" ");
  const askerId = others.at(-1) ?? "";
  const attempt = others.length > 1 ? others[0] : undefined;
  return { roomId, entry, messageId, askerId, answerId: attempt ?? `answer/${messageId}`, continues: continuedBy(attempt ?? "") };
}

/** The id of the answer that the answer with this clientMessageId continues. */
export const continuedBy = (answerId: string) => /^continue\/(.+)$/.exec(answerId)?.[1];

/** The entry for a question that is asked again: to start over, or to continue an incomplete answer. */
export function againEntry(question: { id: string; fromId: string }, answer?: { id: string; continues: boolean }): string {
  return [question.id, ...(answer ? [`${answer.continues ? "continue" : "again"}/${answer.id}`] : []), question.fromId].join(" ");
}
