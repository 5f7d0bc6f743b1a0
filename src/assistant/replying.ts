import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { DeadLetters } from "../consumers/dead-letters.js";
import type { Consumer, Outcome, Signals } from "../consumers/runner.js";
import { logKeys } from "../log/keys.js";
import { messageKeys } from "../messages/keys.js";
import { isRedisAway, onceRedisAnswers, type RedisClient } from "../redis/connect.js";
import type { ScriptCalls, Scripts } from "../redis/scripts.js";
import { isBlank } from "../util/characters.js";
import type { Answer, AnswerStore } from "./answer.store.js";
import { ASSISTANT, assistantKeys } from "./keys.js";
import { CUT, type Memory } from "./memory.js";
import { type Model, ModelFailure, RESTART, type Turn } from "./model.js";
import { type Question, readQuestion } from "./question.js";
import { type WriteOutcome, Writer } from "./writer.js";

/** Why an answer ended before the model had finished. */
type Ending = Exclude<WriteOutcome, "OK"> | "STOPPED" | "LONG" | Error;

/** The text of an answer, and why it ended before the model had finished, if it did. */
interface Written {
  text: string;
  ending: Ending | ModelFailure | undefined;
}

const WRITE_PAUSE = 50; // ms between two writes of an answer: 20 a second
const MOST_WRITES = 1_000; // a second, over all answers of this worker: each is work for every server that shows it
const MOST_TRIES = 3; // per question, because the question may be what kills its worker
const HOLD = 500; // ms, at most, between two checks: a cancelled answer stops this soon, even if the model is silent

/** How an answer ends. */
type How = Pick<Answer, "state" | "incomplete" | "problem">;

const DONE: How = { state: "DONE", incomplete: null, problem: "" };
const CANCELLED: How = { state: "CANCELLED", incomplete: "CANCELLED", problem: "" };
const TOO_LONG = new ModelFailure("The assistant's answer was too long and has been cut.", "TOO_LONG");

/** Answers the questions of a room, one after the other. */
export class Replying implements Consumer {
  readonly name = ASSISTANT;
  readonly #scripts: Scripts;
  readonly #redis: RedisClient;
  readonly #stores: { answers: AnswerStore; memory: Memory; deadLetters: DeadLetters };
  readonly #model: Model;
  readonly #assistantId: () => string;
  readonly #messageLength: number;
  readonly #lease: number;
  readonly #log: Logger;
  /** How many answers are being written. */
  #writing = 0;

  /** @param lease ms */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    stores: { answers: AnswerStore; memory: Memory; deadLetters: DeadLetters },
    model: Model,
    { assistantId, messageLength, lease }: { assistantId: () => string; messageLength: number; lease: number },
    log: Logger,
  ) {
    this.#redis = redis;
    this.#scripts = scripts;
    this.#stores = stores;
    this.#model = model;
    this.#assistantId = assistantId;
    this.#messageLength = messageLength;
    this.#lease = lease;
    this.#log = log;
  }

  async handle(roomId: string, { stopping, abandoning }: Signals): Promise<Outcome> {
    const fence = randomUUID();
    for (;;) {
      if (stopping.aborted) return this.#letGo(roomId, fence);
      const taken = await this.#scripts.run("assistant_take", this.#keys(roomId), { fence, lease: this.#lease });
      if (taken[0] === "HELD") return { state: "held", ms: taken[1] };
      if (taken[0] === "NOTHING") return { state: "done" };
      const [, entry, tries, cancelled, written] = taken;
      const question = readQuestion(roomId, entry);
      const attempt = (): Promise<"OK" | "LOST" | "STOPPED" | "EDITED"> => {
        if (cancelled === 1) return this.#end(question, fence, written, CANCELLED);
        if (tries > MOST_TRIES) return this.#giveUp(question, fence, `The assistant has tried ${MOST_TRIES} times and could not answer.`);
        return this.#answer(question, fence, abandoning);
      };
      const ended = await attempt().catch(async (error: unknown) => {
        // Failures of workers and of the model count as tries, failures of Redis do not.
        if (isRedisAway(error)) await this.#takeBack(roomId, fence, entry, stopping);
        throw error;
      });
      if (ended === "LOST") return { state: "lost" };
      if (ended === "STOPPED") return this.#letGo(roomId, fence);
    }
  }

  async #letGo(roomId: string, fence: string): Promise<Outcome> {
    await this.#scripts.run("assistant_release", { reply: messageKeys.reply(roomId) }, { fence, entry: "" });
    return { state: "stopped" };
  }

  /** Uncounts a try, as soon as Redis answers. */
  async #takeBack(roomId: string, fence: string, entry: string, stopping: AbortSignal): Promise<void> {
    await onceRedisAnswers(
      () => this.#scripts.run("assistant_release", { reply: messageKeys.reply(roomId) }, { fence, entry }),
      () => !stopping.aborted,
    );
  }

  async #answer(question: Question, fence: string, abandoning: AbortSignal): Promise<"OK" | "LOST" | "STOPPED" | "EDITED"> {
    const turns = await this.#stores.memory.turns(this.#assistantId(), question);
    if (!turns) return this.#end(question, fence, "", CANCELLED);
    const { text, ending } = await this.#write(question, turns, fence, abandoning);
    if (ending === "LOST" || ending === "STOPPED" || ending === "EDITED") return ending;
    if (ending === "CANCELLED") return this.#end(question, fence, text, CANCELLED);
    const failure = ending === "LONG" ? TOO_LONG : ending;
    if (failure !== undefined && !(failure instanceof ModelFailure)) throw failure;
    if (isBlank(text)) return this.#giveUp(question, fence, failure?.message ?? "The assistant had nothing to say.");
    if (failure) return this.#end(question, fence, text, { state: "INCOMPLETE", incomplete: failure.reason, problem: failure.message });
    return this.#end(question, fence, text, DONE);
  }

  /** Has the model write. The text is kept, however the answer ends. */
  async #write({ roomId }: Question, turns: Turn[], fence: string, abandoning: AbortSignal): Promise<Written> {
    const stop = new AbortController();
    let ending: Written["ending"];
    const end = (why: Ending) => {
      ending ??= why;
      stop.abort();
    };
    const abandon = () => end("STOPPED");
    abandoning.addEventListener("abort", abandon);
    if (abandoning.aborted) abandon();

    const roomKeys = { reply: messageKeys.reply(roomId), writing: messageKeys.writing(roomId), room: logKeys.room(roomId) };
    const writer = new Writer(
      (written, delta, restart) => this.#scripts.run("assistant_write", roomKeys, { fence, lease: this.#lease, written, delta, restart }),
      {
        pause: () => Math.max(WRITE_PAUSE, (this.#writing / MOST_WRITES) * 1_000),
        hold: Math.min(HOLD, this.#lease / 10),
        lease: this.#lease,
      },
      end,
    );
    this.#writing++;
    try {
      for await (const piece of untilAborted(this.#model.answer(turns, stop.signal), stop.signal)) {
        if (piece === RESTART) {
          writer.restart();
          continue;
        }
        const text = writer.text + piece;
        const fitting = cut(text, this.#messageLength);
        writer.add(fitting.slice(writer.text.length));
        if (fitting.length < text.length) end("LONG");
      }
    } catch (error) {
      if (ending === undefined && !(error instanceof ModelFailure))
        this.#log.error({ error: String(error) }, "the model failed with an unexpected error; ending the answer");
      ending ??= error instanceof ModelFailure ? error : new ModelFailure("Something went wrong with the assistant.");
    } finally {
      abandoning.removeEventListener("abort", abandon);
      stop.abort();
      await writer.stop();
      this.#writing--;
    }
    return { text: writer.text.toWellFormed(), ending };
  }

  async #end(question: Question, fence: string, text: string, how: How): Promise<"OK" | "LOST"> {
    const said = isBlank(text) ? "" : how.state === "INCOMPLETE" ? cut(text, this.#messageLength - CUT.length) + CUT : text;
    if (!(await this.#stores.answers.end({ ...question, text: said, ...how, fence }))) return "LOST";
    this.#count(how.state);
    return "OK";
  }

  /** Adds the dead letter before the question leaves the room's list: a crash in between keeps it twice, not zero times. */
  async #giveUp(question: Question, fence: string, problem: string): Promise<"OK" | "LOST"> {
    const { roomId, entry, messageId } = question;
    this.#log.warn({ roomId, messageId, problem }, "gave up a question; it is now a dead letter");
    await this.#stores.deadLetters.add({ roomId, entry, problem });
    const ended = await this.#scripts.run("assistant_fail", this.#keys(roomId), { fence, entry, problem });
    if (ended === "OK") this.#count("FAILED");
    return ended;
  }

  #keys(roomId: string): Record<ScriptCalls["assistant_take"]["keys"], string> {
    return {
      asked: logKeys.asked(roomId),
      reply: messageKeys.reply(roomId),
      writing: messageKeys.writing(roomId),
      room: logKeys.room(roomId),
    };
  }

  /** For the metrics. Nothing waits for it, so a count may be lost. */
  #count(state: string): void {
    this.#redis.hincrby(assistantKeys.replies, state, 1).catch(() => {});
  }
}

/** Yields from the source until the signal is aborted, even if the source ignores the signal: a model may be silent for long. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
  try {
    while (!signal.aborted) {
      const next = iterator.next();
      next.catch(() => {}); // it may reject after the loop has ended
      const result = await Promise.race([next, aborted]);
      if (!result || result.done) return;
      yield result.value;
    }
  } finally {
    iterator.return?.().catch(() => {}); // not awaited: it may only settle once the source yields again
  }
}

/** The beginning of a text, at most `most` characters. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : [...text].slice(0, most).join("");
}
