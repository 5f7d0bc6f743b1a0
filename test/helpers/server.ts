import type { Config } from "../../src/config/config.js";
import { type RunningServer, startServer } from "../../src/program/server.js";
import { readConfig } from "../../src/program/settings.js";
import { cleanUp } from "./cleanup.js";
import { silent } from "./redis.js";

/**
 * Starts a server on a free port, with cheap password hashes, no rate limits and no grace period for presence. It stops with its test, or
 * with the file.
 */
export async function ownServer(redisUrl: string, settings: Partial<Config> = {}, log = silent): Promise<RunningServer> {
  const defaults = readConfig({ redis: redisUrl, port: "0", "bcrypt-cost": "4", "presence-grace": "0", "rate-limits": "off" }, {});
  const server = await startServer({ ...defaults, ...settings }, log);
  cleanUp(() => server.stop());
  return server;
}
