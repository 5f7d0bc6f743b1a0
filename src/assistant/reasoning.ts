/** Signals that the text so far was the model's reasoning: the answer restarts. */
export const RESTART = Symbol("restart");

/** The marks that enclose a model's reasoning, if the endpoint leaves it in the content. */
const BLOCKS: readonly (readonly [open: string, close: string])[] = [
  ["<think>", "</think>"], // DeepSeek R1, Qwen 3, QwQ, GLM, MiniMax
  ["<thinking>", "</thinking>"],
  ["<thought>", "</thought>"],
  ["<reasoning>", "</reasoning>"],
  ["<seed:think>", "</seed:think>"],
  ["[THINK]", "[/THINK]"], // Magistral
  ["◁think▷", "◁/think▷"], // Kimi
  ["<|begin_of_thought|>", "<|end_of_thought|>"],
  ["<|START_THINKING|>", "<|END_THINKING|>"], // Command A
  ["<|channel|>analysis<|message|>", "<|end|>"], // gpt-oss
  ["<|channel>thought", "<channel|>"], // Gemma
];

/** Marks around the answer itself, which are not part of it. */
const DROPPED = [
  "<|start|>assistant",
  "<|channel|>final<|message|>",
  "<|return|>",
  "<|begin_of_solution|>",
  "<|end_of_solution|>",
  "<|START_RESPONSE|>",
  "<|END_RESPONSE|>",
];

const opens = new Map(BLOCKS.map(([open, close]) => [open.toLowerCase(), close.toLowerCase()]));
const closes = new Set(opens.values());
const marks = [...opens.keys(), ...closes, ...DROPPED.map((mark) => mark.toLowerCase())].sort((one, other) => other.length - one.length);
const MARK = new RegExp(marks.map((mark) => mark.replaceAll(/[[\]|^$.]/g, "\\$&")).join("|"), "i");
const LONGEST_MARK = Math.max(...marks.map((mark) => mark.length));

/**
 * Removes the reasoning from an answer, however the answer is divided into pieces. The reasoning is between two marks, at the beginning of
 * a line. The prompt templates of some models contain the first mark; then the answer has only the second one.
 */
export class ReasoningFilter {
  readonly #longestHeld: number;
  /** Text that was not yielded yet: it may be the beginning of a mark, or is held back until a mark comes. */
  #pending = "";
  /** The mark that ends the current reasoning. */
  #close: string | undefined;
  /** Whether all text is held back until a closing mark, because this model's answers begin with reasoning. */
  #isHeld: boolean;
  #hasReasoned = false;
  #hasGiven = false;
  /** The current line, summarized by `lastLine`, and whether it is in a block of code: marks there are part of the answer. */
  #line = "";
  #isCode = false;
  #ticks = ""; // at the end of the yielded text: they may begin or end such a block

  /** @param isHeld whether the model begins with reasoning, without an opening mark @param longestHeld characters to hold back then */
  constructor(isHeld: boolean, longestHeld: number) {
    this.#isHeld = isHeld;
    this.#longestHeld = longestHeld;
  }

  /** Whether the answer began with reasoning without an opening mark. */
  hasBegunUnmarked = false;

  /** Yields the text that can be shown now. */
  *add(text: string): Generator<string | typeof RESTART> {
    this.#pending += text;
    for (;;) {
      if (this.#close !== undefined) {
        const end = this.#pending.toLowerCase().indexOf(this.#close);
        if (end < 0) {
          this.#pending = this.#pending.slice(-(this.#close.length - 1));
          return;
        }
        this.#pending = this.#pending.slice(end + this.#close.length);
        this.#close = undefined;
      }
      const found = MARK.exec(this.#pending);
      if (!found) break;
      const mark = found[0].toLowerCase();
      const before = this.#pending.slice(0, found.index);
      this.#pending = this.#pending.slice(found.index + mark.length);
      yield* this.#take(before, found[0], mark);
    }
    if (this.#isHeld) {
      this.#pending = this.#pending.slice(0, this.#longestHeld) + this.#pending.slice(this.#longestHeld).slice(-LONGEST_MARK);
      return;
    }
    const kept = beginningOfMark(this.#pending);
    yield* this.#give(this.#pending.slice(0, this.#pending.length - kept));
    this.#pending = this.#pending.slice(this.#pending.length - kept);
  }

  /** Yields the rest at the end of the answer. Text that was held back counts only if the answer is whole: otherwise it is reasoning. */
  *end(isWhole: boolean): Generator<string> {
    if (this.#close === undefined && (isWhole || !this.#isHeld)) yield* this.#give(this.#pending);
    this.#pending = "";
  }

  *#take(before: string, written: string, mark: string): Generator<string | typeof RESTART> {
    const line = lastLine(this.#line + before);
    const isCode = this.#isCode !== hasOddFences(this.#ticks + before) || line === "`";
    const close = opens.get(mark);
    if (isCode) yield* this.#give(before + written);
    else if (close !== undefined && line === "") {
      if (!this.#isHeld) yield* this.#give(before);
      this.#close = close;
      this.#hasReasoned = true;
      this.#isHeld = false;
    } else if (closes.has(mark) && !this.#hasReasoned) {
      this.#hasReasoned = true;
      this.hasBegunUnmarked = true;
      this.#isHeld = false;
      if (this.#hasGiven) yield RESTART;
      this.#hasGiven = false;
      this.#line = "";
    } else if (close !== undefined || closes.has(mark)) {
      this.#hasReasoned = true; // the answer is about marks
      yield* this.#give(before + written);
    } else yield* this.#give(before);
  }

  *#give(text: string): Generator<string> {
    if (text === "") return;
    this.#isCode = this.#isCode !== hasOddFences(this.#ticks + text);
    this.#ticks = /`*$/.exec((this.#ticks + text).replaceAll("```", ""))?.[0] ?? "";
    this.#line = lastLine(this.#line + text);
    this.#hasGiven = true;
    yield text;
  }
}

/** Summarizes the last line: empty for a blank line, a backtick for one with code, `x` for any other. */
function lastLine(text: string): string {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  if (line.includes("`")) return "`";
  return line.trim() === "" ? "" : "x";
}

const hasOddFences = (text: string) => (text.match(/```/g)?.length ?? 0) % 2 === 1;

/** How many characters at the end of a text may be the beginning of a mark. */
function beginningOfMark(text: string): number {
  const end = text.slice(-(LONGEST_MARK - 1)).toLowerCase();
  for (let length = end.length; length > 0; length--) {
    const last = end.slice(-length);
    if (marks.some((mark) => mark.startsWith(last))) return length;
  }
  return 0;
}
