/** Says that what was given of an answer so far turned out to be the model's reasoning: the answer begins again. */
export const ANEW = Symbol("anew");

/** Between which marks models put their reasoning when an endpoint leaves it in the content. */
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

/** Marks around the answer itself, which are no part of it. */
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
 * Takes the reasoning out of an answer, in whatever pieces it comes. It stands between two marks, at the beginning of a line. Prompt
 * templates of some models write the first mark themselves; then the answer has only the second one.
 */
export class ReasoningFilter {
  readonly #longestHeld: number;
  /** What was not given yet: it may be the beginning of a mark, or is held back until one comes. */
  #pending = "";
  /** The mark that ends the reasoning that is being read. */
  #close: string | undefined;
  /** Whether everything waits for a mark that ends reasoning, as this model's answers begin with that. */
  #isHeld: boolean;
  #hasReasoned = false;
  #hasGiven = false;
  /** Of the current line of the answer what matters, and whether it is within a block of code: marks there are what the answer is about. */
  #line = "";
  #isCode = false;
  #ticks = ""; // at the end of what was given: the beginning of such a block, perhaps

  /** @param isHeld whether the model is known to begin with reasoning, without a mark @param longestHeld characters to hold back then */
  constructor(isHeld: boolean, longestHeld: number) {
    this.#isHeld = isHeld;
    this.#longestHeld = longestHeld;
  }

  /** Whether the answer began with reasoning without a mark. */
  hasBegunUnmarked = false;

  /** Gives what of the answer can be shown now. */
  *add(text: string): Generator<string | typeof ANEW> {
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

  /** Gives what is left at the end of the answer. What was held back is the answer only if that is whole: otherwise it is reasoning. */
  *end(isWhole: boolean): Generator<string> {
    if (this.#close === undefined && (isWhole || !this.#isHeld)) yield* this.#give(this.#pending);
    this.#pending = "";
  }

  *#take(before: string, written: string, mark: string): Generator<string | typeof ANEW> {
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
      if (this.#hasGiven) yield ANEW;
      this.#hasGiven = false;
      this.#line = "";
    } else if (close !== undefined || closes.has(mark)) {
      this.#hasReasoned = true; // the answer speaks of marks
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

/** Nothing for a blank line, a backtick for one that has code in it, something for another. */
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
