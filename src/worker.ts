import { setPriority } from "node:os";
import { createModel } from "./assistant/model.js";
import { runProgram, say, stopOnSignals } from "./command-line.js";
import { type Config, ConfigError } from "./config.js";
import { withoutPassword } from "./redis/connect.js";
import { version } from "./server/server-info.js";
import { startWorker, withDeadLetters } from "./server/worker.js";

const USAGE = `Palaver ${version}: a worker of the assistant. Any number may run, anywhere.

  npm run worker -- --redis redis://HOST              on the Redis of the servers
  npm run worker -- --redis redis://HOST --dead       lists the questions that were given up
  npm run worker -- --redis redis://HOST --again ID   asks one of them again, or with \`all\` each
`;

const args = process.argv.slice(2);
const dead = take("--dead");
const again = take("--again", true);

await runProgram(args, {
  usage: USAGE,
  async run(config, log) {
    if (config.redisUrls.length === 0)
      throw new ConfigError([
        "REDIS_URL (--redis): a worker needs the Redis that the servers use; a server with a Redis of its own answers itself",
      ]);
    if (again !== undefined) return askAgain(config, again);
    if (dead !== undefined) return list(config);
    setPriority(10); // where a server is on the same machine, what people send goes first
    const worker = await startWorker(config, createModel(config, log), log);
    stopOnSignals(() => worker.stop(), log);
    say(`\nA worker of Palaver's assistant is running.\n\n  Redis      ${config.redisUrls.map(withoutPassword).join(", ")}\n`);
  },
});

async function list(config: Config): Promise<void> {
  const letters = await withDeadLetters(config, (all) => all.list());
  for (const { id, at, roomId, askerId, messageId, problem } of letters)
    say(`${id}  ${at.toISOString()}  room ${roomId}  user ${askerId}  message ${messageId}  ${problem}`);
  say(letters.length === 0 ? "No question was given up." : `${letters.length} given up; --again ID or --again all asks again.`);
}

async function askAgain(config: Config, which: string): Promise<void> {
  const letters = await withDeadLetters(config, (all) => all.again(which));
  if (letters.length === 0 && which !== "all") throw new ConfigError([`--again: there is no ${which}; --dead lists them`]);
  say(`Asked again: ${letters.length}.`);
}

/** Takes an option that is no setting off the command line: its value, or the empty string for one without. */
function take(name: string, hasValue = false): string | undefined {
  const at = args.indexOf(name);
  if (at < 0) return undefined;
  const [, value = ""] = args.splice(at, hasValue ? 2 : 1);
  return value;
}
