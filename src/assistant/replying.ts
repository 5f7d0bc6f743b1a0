import type { Logger } from "pino";
import type { Consumer, Handled, Signals, TakenEvent } from "../consumers/consumer.js";
import type { DeadLetters } from "../consumers/dead-letters.js";
import { logKeys } from "../log/keys.js";
import { readMessageId } from "../messages/message-id.js";
import type { RedisClient } from "../redis/connect.js";
import type { Scripts } from "../redis/scripts.js";
import { isBlank } from "../util/characters.js";
import type { RoomId, UserId } from "../util/ids.js";
import type { Answer, AnswerStore } from "./answer.store.js";
import { ASSISTANT, assistantKeys } from "./keys.js";
import { CUT, type Memory } from "./memory.js";
import { type Model, ModelFailure, RESTART, type Turn } from "./model.js";
import { type Question, questionIn, writeQuestion } from "./question.js";
import type { RetryStore } from "./retry.store.js";
import { Trouble } from "./trouble.js";
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
const MOST_RESTARTS = 3; // of an answer whose question is edited: each may cost a request to the model
const HOLD = 500; // ms, at most, between two checks: a cancelled answer stops this soon, even if the model is silent

/** How an answer ends. */
type How = Pick<Answer, "state" | "incomplete" | "problem">;

const DONE: How = { state: "DONE", incomplete: null, problem: "" };
const CANCELLED: How = { state: "CANCELLED", incomplete: "CANCELLED", problem: "" };
const TOO_LONG = new Trouble("cut").toFailure();
const EMPTY = new Trouble("empty").toFailure();

/** A question whose room this worker holds. */
interface Task extends Question {
  fence: string;
  /** The seq of its event. */
  event: number;
}

interface Parts {
  answers: AnswerStore;
  memory: Memory;
  retries: Pick<RetryStore, "askMissed">;
  deadLetters: DeadLetters;
}

/** Answers questions. */
export class Replying implements Consumer {
  readonly name = ASSISTANT;
  readonly #scripts: Scripts;
  readonly #redis: RedisClient;
  readonly #stores: Parts;
  readonly #model: Model;
  readonly #assistantId: () => UserId;
  readonly #messageLength: number;
  readonly #lease: number;
  readonly #log: Logger;
  /** How many answers are being written. */
  #writing = 0;

  /** @param lease ms */
  constructor(
    redis: RedisClient,
    scripts: Scripts,
    stores: Parts,
    model: Model,
    { assistantId, messageLength, lease }: { assistantId: () => UserId; messageLength: number; lease: number },
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

  async handle(taken: TakenEvent, { abandoning }: Signals): Promise<Handled> {
    const task = taskOf(taken);
    if (!task) return this.#pass(taken);
    const [state, written] = await this.#scripts.run("assistant_begin", keysOf(task.roomId), {
      name: ASSISTANT,
      fence: task.fence,
      event: task.event,
      question: task.messageId,
      user: task.askerId,
    });
    if (state === "LOST") return "LOST";
    if (state === "CANCELLED") return this.#end(task, written, CANCELLED);
    for (let restarts = 0; ; restarts++) {
      const ended = await this.#answer(task, restarts < MOST_RESTARTS, abandoning);
      if (ended !== "EDITED") return ended;
    }
  }

  giveUp(taken: TakenEvent, problem: string): Promise<Handled> {
    const task = taskOf(taken);
    return task ? this.#giveUp(task, `The assistant has ${problem} and could not answer.`) : this.#pass(taken);
  }

  catchUp(roomId: RoomId, since: number): Promise<void> {
    return this.#stores.retries.askMissed(roomId, since);
  }

  /** Passes an event that another program wrote, and that is no question. */
  #pass({ roomId, fence, event }: TakenEvent): Promise<Handled> {
    const keys = { consumed: logKeys.consumed(roomId), meta: logKeys.meta(roomId) };
    return this.#scripts.run("consumer_pass", keys, { name: ASSISTANT, fence, event: event.seq, caughtUp: false });
  }

  /** @param restarts whether it ends with EDITED if the question's text changes before the first word */
  async #answer(task: Task, restarts: boolean, abandoning: AbortSignal): Promise<Handled | "EDITED"> {
    const found = await this.#stores.memory.turns(this.#assistantId(), task);
    if (!found) return this.#end(task, "", CANCELLED);
    const { text, ending } = await this.#write(task, found, restarts, abandoning);
    if (ending === "LOST" || ending === "STOPPED" || ending === "EDITED") return ending;
    if (ending === "CANCELLED") return this.#end(task, text, CANCELLED);
    const failure = ending === "LONG" ? TOO_LONG : ending;
    if (failure !== undefined && !(failure instanceof ModelFailure)) throw failure;
    if (isBlank(text)) return this.#giveUp(task, (failure ?? EMPTY).message);
    if (failure) return this.#end(task, text, { state: "INCOMPLETE", incomplete: failure.reason, problem: failure.message });
    return this.#end(task, text, DONE);
  }

  /** Has the model write. The text is kept, however the answer ends. */
  async #write(
    { roomId, fence, event, messageId, askerId }: Task,
    { turns, editedAt }: { turns: Turn[]; editedAt: Date | null },
    restarts: boolean,
    abandoning: AbortSignal,
  ): Promise<Written> {
    const stop = new AbortController();
    let ending: Written["ending"];
    const end = (why: Ending) => {
      ending ??= why;
      stop.abort();
    };
    const abandon = () => end("STOPPED");
    abandoning.addEventListener("abort", abandon);
    if (abandoning.aborted) abandon();

    const { score } = readMessageId(messageId, "messageId");
    const asked = { event, user: askerId, question: messageId, score, edited: editedAt?.getTime() ?? ("" as const) };
    const writer = new Writer(
      async (written, delta, restart) => {
        const args = { name: ASSISTANT, fence, lease: this.#lease, ...asked, written, delta, restart };
        const outcome = await this.#scripts.run("assistant_write", keysOf(roomId), args);
        return outcome === "EDITED" && !restarts ? "OK" : outcome;
      },
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

  async #end(task: Task, text: string, how: How): Promise<Handled> {
    const said = isBlank(text) ? "" : how.state === "INCOMPLETE" ? cut(text, this.#messageLength - CUT.length) + CUT : text;
    if (!(await this.#stores.answers.end({ ...task, text: said, ...how }))) return "LOST";
    this.#count(how.state);
    return "OK";
  }

  /** Adds the dead letter before the question stops waiting: a crash in between keeps it twice, not zero times. */
  async #giveUp(task: Task, problem: string): Promise<Handled> {
    const { roomId, fence, event, messageId } = task;
    this.#log.warn({ roomId, messageId, problem }, "gave up a question; it is now a dead letter");
    await this.#stores.deadLetters.add({ roomId, entry: writeQuestion(task), problem });
    const args = { name: ASSISTANT, fence, event, question: messageId, problem };
    const ended = await this.#scripts.run("assistant_fail", keysOf(roomId), args);
    if (ended === "OK") this.#count("FAILED");
    return ended;
  }

  /** For the metrics. Nothing waits for it, so a count may be lost. */
  #count(state: string): void {
    this.#redis.hincrby(assistantKeys.replies, state, 1).catch(() => {});
  }
}

function taskOf({ roomId, event, fence }: TakenEvent): Task | undefined {
  const question = questionIn(roomId, event);
  return question && { ...question, fence, event: event.seq };
}

const keysOf = (roomId: RoomId) => ({
  consumed: logKeys.consumed(roomId),
  room: logKeys.room(roomId),
  reply: assistantKeys.reply(roomId),
  writing: assistantKeys.writing(roomId),
  cancelled: assistantKeys.cancelled(roomId),
  withdrawn: assistantKeys.withdrawn(roomId),
});

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
