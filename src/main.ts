import { runProgram, say, stopOnSignals } from "./command-line.js";
import type { FoundConfig } from "./config.js";
import { DEMO_PASSWORD } from "./interop/demo-data.js";
import { withoutPassword } from "./redis/connect.js";
import { type RunningServer, startServer } from "./server/server.js";
import { version } from "./server/server-info.js";

const USAGE = `Palaver ${version}: a GraphQL chat server on Redis.

  npm start                          with an embedded Redis and demo data
  npm start -- --port 4100           on another port
  npm start -- --redis redis://HOST  on a Redis that is already running
`;

await runProgram(process.argv.slice(2), {
  usage: USAGE,
  async run(config, log) {
    const server = await startServer(config, log);
    stopOnSignals(() => server.stop(), log);
    say(welcome(config, server)); // last, as a reader of this text may send a signal
  },
});

function welcome({ playground, redisUrls, redisSource, interop }: FoundConfig, server: RunningServer): string {
  const lines = [
    `Palaver ${version} is running.`,
    "",
    `  Chat       ${server.url}/`,
    ...(playground ? [`  GraphiQL   ${server.url}/graphql`] : []),
    `  API        ${server.url}/graphql  and  ${server.url.replace(/^http/, "ws")}/graphql`,
    `  Redis      ${server.redisUrls.map(withoutPassword).join(", ")}${redisUrls.length === 0 ? "  (embedded)" : redisSource ? `  (from ${redisSource})` : ""}`,
  ];
  if (server.openAccounts.length > 0)
    lines.push(
      "",
      `  Demo accounts: ${server.openAccounts.join(", ")}; the password of each is ${DEMO_PASSWORD}. Do not keep them on a public server.`,
    );
  if (interop === "full")
    lines.push("", "  INTEROP=full: Palaver publishes private messages on the channel MESSAGES, and demo apps show them to everyone.");
  return `\n${lines.join("\n")}\n`;
}
