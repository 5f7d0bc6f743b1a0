/** A question as it waits in its room's list: the message, and who asks. */
export interface Question {
  roomId: string;
  /** As it is in the list. */
  entry: string;
  messageId: string;
  askerId: string;
  /** The clientMessageId that its answer gets: it makes a second answer impossible. */
  answerId: string;
  /** The incomplete answer that is to be continued. */
  continues: string | undefined;
}

/** Reads an entry of `asked`: `ID USER`, or `ID ATTEMPT USER` where the message is not asked for the first time. */
export function readQuestion(roomId: string, entry: string): Question {
  const [messageId = "", ...others] = entry.split(" ");
  const askerId = others.at(-1) ?? "";
  const attempt = others.length > 1 ? others[0] : undefined;
  return { roomId, entry, messageId, askerId, answerId: attempt ?? `answer/${messageId}`, continues: continuedBy(attempt ?? "") };
}

/** The answer that the one with this clientMessageId continues. */
export const continuedBy = (answerId: string) => /^continue\/(.+)$/.exec(answerId)?.[1];

/** The entry for a message that is asked again: from the beginning, or for more of an incomplete answer. */
export function againEntry(question: { id: string; fromId: string }, answer?: { id: string; continues: boolean }): string {
  return [question.id, ...(answer ? [`${answer.continues ? "continue" : "again"}/${answer.id}`] : []), question.fromId].join(" ");
}
