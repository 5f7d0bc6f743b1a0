import type { UserId } from "../util/ids.js";
import { mentionKey, searchKey, wordBeginnings } from "./fold.js";

const LONGEST = 64; // UTF-16 units of a key; the rest of a longer name is not searched
const READ = 256; // characters of a name that are read; another program may have written a longer one
const MOST_WORDS = 40; // keys per user
const MOST_ALIKE = 8; // keys per user that begin with the same character, so that a search for one character reads few

/** The names of a user. */
interface Named {
  username: string;
  name: string;
}

/** The search key of a text. */
export const searchOf = (text: string): string => keyOf(searchKey(text));

/** The keys by which a search finds a user: the username and the name, each from the beginning of each word on. */
export function searchedBy({ username, name }: Named): string[] {
  const keys = new Set<string>();
  const alike = new Map<string, number>();
  for (const key of [username, name].flatMap((text) => wordBeginnings(text.slice(0, READ))).map(keyOf)) {
    const first = String.fromCodePoint(key.codePointAt(0) ?? 0);
    const count = alike.get(first) ?? 0;
    if (key === "" || keys.has(key) || keys.size === MOST_WORDS || count === MOST_ALIKE) continue;
    alike.set(first, count + 1);
    keys.add(key);
  }
  return [...keys];
}

const keyOf = (text: string) => text.slice(0, LONGEST).toWellFormed().trim();

const SEPARATOR = "\0"; // in no key, and sorts before all other characters, so that the shorter of two keys comes first

/** An entry of the directory. */
export interface DirectoryEntry {
  name: string;
  id: UserId;
}

export const encodeEntry = ({ name, id }: DirectoryEntry) => `${name}${SEPARATOR}${id}`;

export function decodeEntry(entry: string): DirectoryEntry {
  const at = entry.lastIndexOf(SEPARATOR);
  return { name: entry.slice(0, Math.max(0, at)), id: entry.slice(at + 1) as UserId };
}

/** The directory's entries for a user: those for searches, and the one by which mentions find the username. */
export function directoryEntries(user: Named & { id: UserId }): string[] {
  const mention = `${SEPARATOR}${mentionKey(user.username.slice(0, READ)).slice(0, READ)}`;
  return [...searchedBy(user), mention].map((name) => encodeEntry({ name, id: user.id }));
}
