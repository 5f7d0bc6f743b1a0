import { type Config, describe, readSettings, variablesOf } from "../config/config.js";
import { oneOf, onOff, type Setting, setting, type ValuesOf } from "../config/setting.js";
import { features } from "../features.js";
import { settings as logSettings } from "../log/settings.js";
import { settings as redisSettings, useOtherRedisNames } from "../redis/settings.js";
import { settings as transportSettings } from "../transports/settings.js";

/** Settings that concern several parts. */
const own = {
  rateLimits: setting({
    env: ["RATE_LIMITS"],
    placeholder: "on|off",
    parse: onOff,
    fallback: true,
    fallbackSaid: "on",
    help: "limit how often users sign up, log in and send, and how much server time each may take; off for load tests",
  }),
  logLevel: setting({
    env: ["LOG_LEVEL"],
    placeholder: "LEVEL",
    parse: oneOf("debug", "info", "warn", "error", "silent"),
    fallback: "info",
    help: "debug, info, warn, error or silent",
  }),
};

declare module "../config/config.js" {
  interface Config extends ValuesOf<typeof own> {}
}

/** Every setting of Palaver, in the order of `--help`. */
export const settings: Readonly<Record<keyof Config, Setting<unknown>>> = Object.assign(
  {},
  transportSettings,
  redisSettings,
  logSettings,
  ...features.map((feature) => feature.settings),
  own,
);

/** The settings, and the variables of the demo apps and tutorials that name the Redis, unless REDIS_URL alone names it. */
export type FoundConfig = Config & { readonly redisSource?: string | undefined };

/**
 * Reads the settings from command-line options, else the environment, else the text of a `.env` file, else the defaults.
 * @param options the options by name, without dashes
 * @param problems known problems of the command line
 * @throws ConfigError that lists all problems at once
 */
export function readConfig(
  options: Record<string, string>,
  environment: NodeJS.ProcessEnv,
  dotenv = "",
  problems: readonly string[] = [],
): FoundConfig {
  const variables = variablesOf(dotenv, environment);
  const redisSource = options.redis === undefined ? useOtherRedisNames(variables) : undefined;
  const sourceOf = (variable: string) => (redisSettings.redisUrls.env.includes(variable) ? (redisSource ?? variable) : variable);
  return { ...readSettings(settings, options, variables, problems, sourceOf), redisSource };
}

/** The settings as `--help` prints them. */
export const describeSettings = (): string => describe(settings);
