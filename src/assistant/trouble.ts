import type { IncompleteReasonName } from "../messages/incomplete.type.js";

/** The model gave no answer, or only part of one. Users see the message, which reveals nothing about how the model is reached. */
export class ModelFailure extends Error {
  override readonly name = "ModelFailure";

  /** @param reason why the text so far is not the whole answer */
  constructor(
    message: string,
    readonly reason: IncompleteReasonName = "BROKEN_OFF",
  ) {
    super(message);
  }
}

/** Everything that can keep a model from answering: the sentence for users, and whether an immediate retry can help. */
const troubles = {
  setUp: { retryable: false, say: "The assistant is not set up correctly. Its operator can find the reason in the log." },
  busy: { retryable: true, say: "The assistant is busy. Ask again in a moment." },
  unreachable: { retryable: true, say: "The assistant cannot be reached. Ask again in a moment." },
  slow: { retryable: false, say: "The assistant took too long. Ask again in a moment." },
  failed: { retryable: false, say: "The assistant failed to answer. Ask again in a moment." },
  brokenOff: { retryable: false, say: "The assistant's answer broke off. Ask again." },
  unreadable: { retryable: false, say: "The assistant's answer could not be read. Ask again." },
  filtered: { retryable: false, say: "The assistant may not answer that." },
  empty: { retryable: false, say: "The assistant had nothing to say. Ask in other words." },
  tooLong: { retryable: false, say: "That is too long for the assistant. Ask in fewer words." },
  cut: { retryable: false, say: "The assistant's answer was too long and has been cut." },
} satisfies Record<string, { retryable: boolean; say: string }>;

export type TroubleKind = keyof typeof troubles;

const reasons: Partial<Record<TroubleKind, IncompleteReasonName>> = { filtered: "WITHHELD", cut: "TOO_LONG" };

/** A failure of an endpoint, in detail. It goes to the operator's log; users get the ModelFailure. */
export class Trouble extends Error {
  override readonly name = "Trouble";

  /** @param why details for the log only: they may contain the endpoint's response */
  constructor(
    readonly kind: TroubleKind,
    readonly why: Readonly<Record<string, unknown>> = {},
  ) {
    super(troubles[kind].say);
  }

  get retryable(): boolean {
    return troubles[this.kind].retryable;
  }

  /** The failure as users see it. */
  toFailure(): ModelFailure {
    return new ModelFailure(this.message, reasons[this.kind]);
  }
}
