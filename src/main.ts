import { existsSync, readFileSync } from "node:fs";
import { pino } from "pino";
import { type Config, ConfigError, describeSettings, readConfig } from "./config.js";
import { DEMO_PASSWORD, DEMO_USERS } from "./interop/demo-data.js";
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

await main(process.argv.slice(2));

async function main(args: string[]): Promise<void> {
  if (args.includes("--help") || args.includes("-h")) return say(USAGE);
  if (args.includes("--version")) return say(version);

  try {
    const config = readConfig(readOptions(args), process.env, existsSync(".env") ? readFileSync(".env", "utf8") : "");
    const log = pino({ level: config.logLevel });
    const server = await startServer(config, log);
    say(welcome(config, server));

    let asked = 0;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (++asked > 1) process.exit(1); // asked twice: at once
        log.info({ signal }, "stopping");
        void server.stop().then(() => process.exit(0));
      });
    }
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(1);
  }
}

/** `--name value` and `--name=value`, by name. */
function readOptions(args: string[]): Record<string, string> {
  const options: Record<string, string> = {};
  const problems: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const [, name, inline] = /^--([\w-]+)(?:=(.*))?$/s.exec(args[at] ?? "") ?? [];
    const value = inline ?? args[at + 1];
    if (name === undefined) problems.push(`${args[at]}: options begin with --; --help lists them`);
    else if (value === undefined || (inline === undefined && value.startsWith("--"))) problems.push(`--${name}: a value is missing`);
    else {
      options[name] = value;
      if (inline === undefined) at++;
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return options;
}

function welcome({ playground, demoData, redisUrls }: Config, server: RunningServer): string {
  const lines = [
    `Palaver ${version} is running.`,
    "",
    `  Chat       ${server.url}/`,
    ...(playground ? [`  GraphiQL   ${server.url}/graphql`] : []),
    `  API        ${server.url}/graphql  and  ${server.url.replace(/^http/, "ws")}/graphql`,
    `  Redis      ${server.redisUrls.map(withoutPassword).join(", ")}${redisUrls.length === 0 ? "  (its own)" : ""}`,
  ];
  if (demoData)
    lines.push(
      "",
      `  Demo accounts: ${DEMO_USERS.join(", ")}; the password of each is ${DEMO_PASSWORD}. Never leave them on a public server.`,
    );
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
  const { code, message, stack } = error as NodeJS.ErrnoException & { port?: number };
  if (code === "EADDRINUSE")
    return `${message.replace(/^listen EADDRINUSE: /, "")}. Another program listens there. Choose a free port:  npm start -- --port 4100`;
  if (code === "EACCES" || code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return `${message}. Choose another address or port with --host and --port.`;
  return stack ?? message;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
