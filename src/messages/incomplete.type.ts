/** Why an answer of the assistant is incomplete. */
export enum IncompleteReason {
  TOO_LONG = "TOO_LONG",
  BROKEN_OFF = "BROKEN_OFF",
  WITHHELD = "WITHHELD",
  CANCELLED = "CANCELLED",
}

export type IncompleteReasonName = keyof typeof IncompleteReason;
