import type { IncompleteReasonName } from "../messages/incomplete.type.js";

/** There is no answer, or no more of it. The message tells people so, and nothing of how the model is reached. */
export class ModelFailure extends Error {
  override readonly name = "ModelFailure";

  /** @param reason why what was given before is not the whole answer */
  constructor(
    message: string,
    readonly reason: IncompleteReasonName = "BROKEN_OFF",
  ) {
    super(message);
  }
}

/** Everything that keeps a model from answering: what people are told, and whether asking again at once can help. */
const troubles = {
  setUp: { retryable: false, say: "The assistant is not set up correctly. Its operator finds the reason in the log." },
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

/** What went wrong with an endpoint, as its operator needs to know it: it ends in the log, and people get a ModelFailure. */
export class Trouble extends Error {
  override readonly name = "Trouble";

  /** @param why for the log alone: it may hold what the endpoint said */
  constructor(
    readonly kind: TroubleKind,
    readonly why: Readonly<Record<string, unknown>> = {},
  ) {
    super(troubles[kind].say);
  }

  get retryable(): boolean {
    return troubles[this.kind].retryable;
  }

  /** The same for people. */
  toFailure(): ModelFailure {
    return new ModelFailure(this.message, reasons[this.kind]);
  }
}
