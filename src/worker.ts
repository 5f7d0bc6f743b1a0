import { setPriority } from "node:os";
import { version } from "./api/version.js";
import { createModel } from "./assistant/create-model.js";
import { readQuestion } from "./assistant/question.js";
import { type Config, ConfigError } from "./config/config.js";
import { startWorker, withDeadLetters } from "./program/assistant-worker.js";
import { runProgram, say, stopOnSignals } from "./program/command-line.js";
import { withoutPassword } from "./redis/connect.js";

const USAGE = `Palaver ${version}: an assistant worker. Run any number of them, on any machine that reaches the Redis.

  npm run worker -- --redis redis://HOST              starts a worker on the Redis of the servers
  npm run worker -- --redis redis://HOST --dead       lists the dead letters: questions that failed repeatedly
  npm run worker -- --redis redis://HOST --again ID   asks one of them again; \`all\` instead of ID asks all of them
`;

const args = process.argv.slice(2);
const dead = take("--dead");
const again = take("--again", true);

await runProgram(args, {
  usage: USAGE,
  async run(config, log) {
    if (config.redisUrls.length === 0)
      throw new ConfigError([
        "REDIS_URL (--redis): is required; set it to the Redis that the servers use. A server with an embedded Redis needs no worker",
      ]);
    if (again !== undefined) return askAgain(config, again);
    if (dead !== undefined) return list(config);
    setPriority(10); // a server on the same machine comes first
    const worker = await startWorker(config, createModel(config, log), log);
    stopOnSignals(() => worker.stop(), log);
    say(`\nA Palaver assistant worker is running.\n\n  Redis      ${config.redisUrls.map(withoutPassword).join(", ")}\n`);
  },
});

async function list(config: Config): Promise<void> {
  const letters = await withDeadLetters(config, (all) => all.list());
  for (const { id, at, roomId, entry, problem } of letters) {
    const { askerId, messageId } = readQuestion(roomId, entry);
    say(`${id}  ${at.toISOString()}  room ${roomId}  user ${askerId}  message ${messageId}  ${problem}`);
  }
  say(letters.length === 0 ? "No dead letters." : `Dead letters: ${letters.length}. Ask them again with --again ID or --again all.`);
}

async function askAgain(config: Config, which: string): Promise<void> {
  const letters = await withDeadLetters(config, (all) => all.again(which));
  if (letters.length === 0 && which !== "all") throw new ConfigError([`--again: there is no dead letter ${which}; --dead lists them`]);
  say(`Asked again: ${letters.length}.`);
}

/** Removes an option that is not a setting from the arguments. Returns its value, or the empty string if it takes none. */
function take(name: string, hasValue = false): string | undefined {
  const at = args.indexOf(name);
  if (at < 0) return undefined;
  const [, value = ""] = args.splice(at, hasValue ? 2 : 1);
  return value;
}
