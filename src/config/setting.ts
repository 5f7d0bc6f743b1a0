/** The values of all settings by name. Their types are not known here: they follow from the tables. */
export type Found = Readonly<Record<string, unknown>>;

/** How one setting is read. `parse` returns the value, or throws an Error that says what is wrong with the text. */
export interface Setting<T> {
  /** Names of environment variables; the first that is set wins. The option is the first name in kebab case, unless `option` is set. */
  env: [string, ...string[]];
  option?: string;
  placeholder: string;
  parse: (text: string) => T;
  fallback: T;
  /** The default where it depends on other settings or on the environment; then it counts instead of `fallback`. */
  derive?: (found: Found, environment: NodeJS.Dict<string>) => T;
  /** The default as `--help` shows it, if the value itself is not clear. */
  fallbackSaid?: string;
  /** What is wrong with the value beside the others; undefined if nothing is. */
  check?: (value: T, all: Found) => string | undefined;
  help: string;
}

/** Settings by their names in `Config`. */
// biome-ignore lint/suspicious/noExplicitAny: a table has settings of all types, and only its own parse and check see the values
export type SettingTable = Readonly<Record<string, Setting<any>>>;

/** The values of a table of settings. */
export type ValuesOf<Table extends SettingTable> = { readonly [Name in keyof Table]: Table[Name]["fallback"] };

export const setting = <T>(definition: Setting<T>): Setting<T> => definition;

/** A whole number within bounds. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) throw new Error(`${text} is not a whole number from ${least} to ${most}`);
    return value;
  };
}

/** One of these words. */
export function oneOf<Choice extends string>(...choices: Choice[]): (text: string) => Choice {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw new Error(`${text} is not one of ${choices.join(", ")}`);
    return choice;
  };
}

/** `on`, `off`, or what other programs call so. */
export function onOff(text: string): boolean {
  return oneOf("on", "off", "true", "false", "1", "0")(text).match(/^(on|true|1)$/) !== null;
}
