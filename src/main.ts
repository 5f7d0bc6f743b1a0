import { version } from "./api/version.js";
import { runProgram, say, stopOnSignals } from "./program/command-line.js";
import { type RunningServer, startServer } from "./program/server.js";
import type { FoundConfig } from "./program/settings.js";
import { withoutPassword } from "./redis/connect.js";

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

function welcome({ playground, redisUrls, redisSource }: FoundConfig, server: RunningServer): string {
  const lines = [
    `Palaver ${version} is running.`,
    "",
    `  Chat       ${server.url}/`,
    ...(playground ? [`  GraphiQL   ${server.url}/graphql`] : []),
    `  API        ${server.url}/graphql  and  ${server.url.replace(/^http/, "ws")}/graphql`,
    `  Redis      ${server.redisUrls.map(withoutPassword).join(", ")}${redisUrls.length === 0 ? "  (embedded)" : redisSource ? `  (from ${redisSource})` : ""}`,
  ];
  for (const line of server.welcome) lines.push("", line);
  return `\n${lines.join("\n")}\n`;
}
