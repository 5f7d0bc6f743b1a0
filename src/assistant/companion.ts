import { setTimeout as delay } from "node:timers/promises";
import nlp from "compromise/one";
import { withoutLeadingMentions } from "../messages/mentions.js";
import { again, asksForApi, fallback, type Topic, topics } from "./companion-topics.js";
import type { Model, Turn } from "./model.js";

const PER_WORD = 40; // ms between two words
const LONGEST = 1_500; // ms for a whole answer of any length
const READ = 500; // characters of a message that are examined: enough for a question

const known = (Object.values(topics) as Topic[]).map((topic) => ({
  topic,
  patterns: topic.heard.map((pattern) => nlp.parseMatch(pattern)),
}));
const oneMore = nlp.parseMatch(again);
const forApi = nlp.parseMatch(asksForApi);
const naming = /\b(?:my name is|call me|(?:i am|i['’]m) called)\s+(\p{L}[\p{L}\p{N}'’-]*)/iu;

/**
 * Answers without a model, by keywords. The same conversation always gets the same answer. It keeps no state, because any worker may
 * answer next; everything it knows is in the turns.
 * @param perWord ms between two words
 */
export function createCompanion(perWord: number = PER_WORD): Model {
  return {
    async *answer(turns, signal) {
      const last = turns.at(-1);
      const answer = last?.role === "assistant" ? rest(answerTo(turns.slice(0, -1)), last.text) : answerTo(turns);
      const words = answer.match(/\S+\s*/g) ?? [];
      const pause = Math.min(perWord, LONGEST / words.length);
      for (const word of words) {
        await delay(pause, undefined, { signal });
        yield word;
      }
    },
  };
}

/** The rest of an answer that was begun; all of it if another answer was begun. */
const rest = (answer: string, begun: string) => (answer.startsWith(begun) ? answer.slice(begun.length) : "").trimStart() || answer;

/** The answer to the last turn. A topic that comes up again gets the next of its answers, in rotation. */
function answerTo(turns: readonly Turn[]): string {
  const asker = turns.at(-1)?.name;
  let name = asker;
  let topic = topics.greeting as Topic; // if no user has spoken
  let isForApi = false;
  const asked = new Map<Topic, number>();
  for (const turn of turns) {
    if (turn.role === "assistant") continue;
    const text = turn.text.slice(0, READ);
    const said = nlp(withoutLeadingMentions(text)); // a mention at the beginning only addresses the companion
    const isMore = asked.size > 0 && said.has(oneMore);
    if (!isMore) topic = known.find(({ patterns }) => patterns.some((pattern) => said.has(pattern)))?.topic ?? fallback;
    if (!isMore) isForApi = said.has(forApi);
    asked.set(topic, (asked.get(topic) ?? -1) + 1);
    if (turn.name === asker) name = naming.exec(text)?.[1] ?? name;
  }
  const answers = (isForApi && topic.inApi) || topic.answers;
  const answer = answers[(asked.get(topic) ?? 0) % answers.length] ?? "";
  return answer.replaceAll("{name}", () => name ?? "someone who has not told me a name yet");
}
