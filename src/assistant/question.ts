/** A question as it waits in its room's list: the message, and who asks. */
export interface Question {
  roomId: string;
  /** As it is in the list. */
  entry: string;
  messageId: string;
  askerId: string;
}

/** Reads an entry of `asked`, which the scripts make: `ID USER`. */
export function readQuestion(roomId: string, entry: string): Question {
  const [messageId = "", askerId = ""] = entry.split(" ");
  return { roomId, entry, messageId, askerId };
}
