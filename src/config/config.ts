import { parseEnv } from "node:util";
import type { Setting, SettingTable } from "./setting.js";

/** All settings, with every default resolved. Each part of Palaver adds its own, in its `settings.ts`. */
// biome-ignore lint/suspicious/noEmptyInterface: the parts add to it
export interface Config {}

/** Invalid settings: every problem, one line each. */
export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
  }
}

/** The command-line option for an environment variable, without dashes: `data-dir` for `DATA_DIR`. */
export function optionOf({ env, option }: Pick<Setting<never>, "env" | "option">): string {
  return option ?? env[0].toLowerCase().replaceAll("_", "-");
}

/** The variables of a `.env` file and of the environment, which takes precedence; without empty ones. */
export function variablesOf(dotenv: string, environment: NodeJS.ProcessEnv): NodeJS.Dict<string> {
  const withoutEmpty = (variables: NodeJS.Dict<string>) => Object.entries(variables).filter(([, value]) => value !== "");
  return Object.fromEntries([...withoutEmpty(parseEnv(dotenv)), ...withoutEmpty(environment)]);
}

/**
 * Reads the settings from command-line options, else from variables, else the defaults.
 * @param options the options by name, without dashes
 * @param problems known problems of the command line
 * @param sourceOf names the source of a variable, if it is not the variable itself
 * @throws ConfigError that lists all problems at once
 */
export function readSettings(
  table: SettingTable,
  options: Record<string, string>,
  variables: NodeJS.Dict<string>,
  problems: readonly string[] = [],
  sourceOf: (variable: string) => string = (variable) => variable,
): Config {
  const found = [...problems];
  const values: Record<string, unknown> = {};
  const unset: [string, Setting<unknown>][] = [];
  for (const [name, definition] of Object.entries(table)) {
    const option = optionOf(definition);
    const variable = definition.env.find((candidate) => variables[candidate] !== undefined);
    const text = options[option] ?? (variable && variables[variable]);
    values[name] = definition.fallback;
    if (text === undefined) {
      unset.push([name, definition]);
      continue;
    }
    try {
      values[name] = definition.parse(text);
    } catch (error) {
      found.push(`${option in options ? `--${option}` : sourceOf(variable as string)}: ${(error as Error).message}`);
    }
  }
  for (const [name, { derive }] of unset) if (derive) values[name] = derive(values, variables);

  const known = new Set(Object.values(table).map(optionOf));
  for (const option of Object.keys(options)) {
    if (!known.has(option)) found.push(`--${option}: unknown option; --help lists all options`);
  }
  for (const [name, { check, env }] of Object.entries(table)) {
    const problem = check?.(values[name], values);
    if (problem !== undefined) found.push(`${env[0]}: ${problem}`);
  }
  if (found.length > 0) throw new ConfigError(found);
  return values as unknown as Config;
}

/** The settings as `--help` prints them. */
export function describe(table: SettingTable): string {
  return Object.values(table)
    .map((definition) => {
      const fallback = definition.fallbackSaid ?? String(definition.fallback);
      return `  --${optionOf(definition)} ${definition.placeholder}\n      ${definition.help}\n      ${definition.env.join(", ")}; default: ${fallback}`;
    })
    .join("\n");
}
