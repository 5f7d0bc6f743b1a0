import { existsSync, readFileSync } from "node:fs";
import { type Logger, pino } from "pino";
import { version } from "../api/version.js";
import { ConfigError } from "../config/config.js";
import { CannotStart } from "../util/cannot-start.js";
import { describeSettings, type FoundConfig, readConfig } from "./settings.js";

/** A second signal within this time is an echo of the first: npm forwards a Ctrl-C that the terminal has already sent to this process. */
const ECHO = 500; // ms

/** A Palaver program for the command line. */
export interface Program {
  /** What the program is and how to call it; `--help` prints this before the settings. */
  usage: string;
  /** Runs the program. If this throws, the error is explained and the process exits with 1. */
  run(config: FoundConfig, log: Logger): Promise<void>;
}

/** Reads the settings and runs the program, or prints the help or the version if an argument asks for it. */
export async function runProgram(args: string[], { usage, run }: Program): Promise<void> {
  if (args.includes("--help") || args.includes("-h")) return say(`${usage}\n${SETTINGS}`);
  if (args.includes("--version")) return say(version);
  try {
    const { options, problems } = readOptions(args);
    const config = readConfig(options, process.env, existsSync(".env") ? readFileSync(".env", "utf8") : "", problems);
    await run(config, pino({ level: config.logLevel }));
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  }
}

const SETTINGS = `Set each setting as an option, an environment variable, or a variable in a .env file:

${describeSettings()}

  --help, --version
`;

/** Stops the program at a SIGINT or SIGTERM; a second one exits at once. */
export function stopOnSignals(stop: () => Promise<void>, log: Logger): void {
  let asked: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (asked === undefined) {
        asked = now;
        log.info({ signal }, "stopping");
        void stop().then(() => process.exit(0));
      } else if (now - asked > ECHO) process.exit(1);
    });
  }
}

/** Parses `--name value` and `--name=value` into options by name; reports all other arguments as problems. */
function readOptions(args: string[]): { options: Record<string, string>; problems: string[] } {
  const options: Record<string, string> = {};
  const problems: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const [, name, inline] = /^--([\w-]+)(?:=(.*))?$/s.exec(args[at] ?? "") ?? [];
    if (name === undefined) {
      problems.push(`${args[at]?.replace(/:\/\/.*@/s, "://…@")}: options begin with --; --help lists all options`);
      continue;
    }
    const value = inline ?? (args[at + 1]?.startsWith("--") ? undefined : args[++at]);
    if (value) options[name] = value;
    else problems.push(`--${name}: a value is missing; write --${name}=VALUE`);
  }
  return { options, problems };
}

function explain(error: unknown): string {
  if (error instanceof ConfigError)
    return [
      "Palaver cannot start with these settings:",
      ...error.problems.map((problem) => `  ${problem}`),
      "--help lists all settings.",
    ].join("\n");
  if (error instanceof CannotStart) return error.message;
  const { code, message, stack, syscall } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE")
    return `${message.replace(/^listen EADDRINUSE: /, "")}. Another program uses this port. Choose a free one:  npm start -- --port 4100`;
  if (syscall === "listen" || syscall === "getaddrinfo") return `${message}. Choose another address or port with --host and --port.`;
  return stack ?? message;
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
