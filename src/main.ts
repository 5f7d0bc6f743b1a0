import { existsSync, readFileSync } from "node:fs";
import { pino } from "pino";
import { type Config, ConfigError, describeSettings, readConfig } from "./config.js";
import { DEMO_PASSWORD } from "./interop/demo-data.js";
import { RedisUnusable, withoutPassword } from "./redis/connect.js";
import { type RunningServer, startServer } from "./server/server.js";
import { version } from "./server/server-info.js";

const USAGE = `Palaver ${version}: a GraphQL chat server on Redis.

  npm start                          with a Redis of its own, and demo data
  npm start -- --port 4100           on another port
  npm start -- --redis redis://HOST  on a Redis that runs already

Each setting is an option, or a variable of the environment or of a .env file:

${describeSettings()}

  --help, --version
`;

/** For so long a second signal is the first one again: npm passes on a Ctrl-C that the terminal has given to us as well. */
const ECHO = 500; // ms

await main(process.argv.slice(2));

async function main(args: string[]): Promise<void> {
  if (args.includes("--help") || args.includes("-h")) return say(USAGE);
  if (args.includes("--version")) return say(version);

  try {
    const { options, problems } = readOptions(args);
    const config = readConfig(options, process.env, existsSync(".env") ? readFileSync(".env", "utf8") : "", problems);
    const log = pino({ level: config.logLevel });
    const server = await startServer(config, log);

    let asked: number | undefined;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        const now = performance.now();
        if (asked === undefined) {
          asked = now;
          log.info({ signal }, "stopping");
          void server.stop().then(() => process.exit(0));
        } else if (now - asked > ECHO) process.exit(1); // asked again: at once
      });
    }
    say(welcome(config, server)); // only now: who reads it may send a signal
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  }
}

/** `--name value` and `--name=value`, by name; and what is no such thing. */
function readOptions(args: string[]): { options: Record<string, string>; problems: string[] } {
  const options: Record<string, string> = {};
  const problems: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const [, name, inline] = /^--([\w-]+)(?:=(.*))?$/s.exec(args[at] ?? "") ?? [];
    if (name === undefined) {
      problems.push(`${args[at]?.replace(/:\/\/.*@/s, "://…@")}: options begin with --; --help lists them`);
      continue;
    }
    const value = inline ?? (args[at + 1]?.startsWith("--") ? undefined : args[++at]);
    if (value) options[name] = value;
    else problems.push(`--${name}: a value is missing`);
  }
  return { options, problems };
}

function welcome({ playground, redisUrls, interop }: Config, server: RunningServer): string {
  const lines = [
    `Palaver ${version} is running.`,
    "",
    `  Chat       ${server.url}/`,
    ...(playground ? [`  GraphiQL   ${server.url}/graphql`] : []),
    `  API        ${server.url}/graphql  and  ${server.url.replace(/^http/, "ws")}/graphql`,
    `  Redis      ${server.redisUrls.map(withoutPassword).join(", ")}${redisUrls.length === 0 ? "  (its own)" : ""}`,
  ];
  if (server.openAccounts.length > 0)
    lines.push(
      "",
      `  Demo accounts: ${server.openAccounts.join(", ")}; the password of each is ${DEMO_PASSWORD}. Never leave them on a public server.`,
    );
  if (interop === "full")
    lines.push("", "  INTEROP=full: private messages go to the channel MESSAGES, and demo apps show what is on it to everyone.");
  return `\n${lines.join("\n")}\n`;
}

function explain(error: unknown): string {
  if (error instanceof ConfigError)
    return [
      "Palaver cannot start with these settings:",
      ...error.problems.map((problem) => `  ${problem}`),
      "--help lists all settings.",
    ].join("\n");
  if (error instanceof RedisUnusable) return error.message;
  const { code, message, stack, syscall } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE")
    return `${message.replace(/^listen EADDRINUSE: /, "")}. Another program listens there. Choose a free port:  npm start -- --port 4100`;
  if (syscall === "listen" || syscall === "getaddrinfo") return `${message}. Choose another address or port with --host and --port.`;
  return stack ?? message;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
