import { type Config, readConfig } from "../../src/config.js";
import { type RunningServer, startServer } from "../../src/server/server.js";
import { cleanUp } from "./cleanup.js";
import { silent } from "./redis.js";

/** A server on a free port, with cheap passwords and no limits on sign-ups; it stops with its test, or with the file. */
export async function ownServer(redisUrl: string, settings: Partial<Config> = {}): Promise<RunningServer> {
  const defaults = readConfig({ redis: redisUrl, port: "0", "bcrypt-cost": "4", "rate-limits": "off" }, {});
  const server = await startServer({ ...defaults, ...settings }, silent);
  cleanUp(() => server.stop());
  return server;
}
