import { mentionKey, searchKey, wordBeginnings } from "../text/fold.js";
import type { UserRecord } from "./user.store.js";

const LONGEST = 64; // UTF-16 units of a key; what is beyond is not searched
const READ = 256; // characters of a name that are looked at, should someone else have written a long one
const MOST_WORDS = 40; // keys of a user
const MOST_ALIKE = 8; // that begin with the same character, so that whoever begins so is found without reading much

/** What is searched for. */
export const searchOf = (text: string): string => keyOf(searchKey(text));

/** What a user is found by: the username and the name, each from each of its words on. */
export function searchedBy({ username, name }: Pick<UserRecord, "username" | "name">): string[] {
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

const SEPARATOR = "\0"; // in no key, and before everything else: the shorter of two comes first

/** A place in the directory. */
export interface DirectoryEntry {
  name: string;
  id: string;
}

export const encodeEntry = ({ name, id }: DirectoryEntry) => `${name}${SEPARATOR}${id}`;

export function decodeEntry(entry: string): DirectoryEntry {
  const at = entry.lastIndexOf(SEPARATOR);
  return { name: entry.slice(0, Math.max(0, at)), id: entry.slice(at + 1) };
}

/** The entries of the directory that lead to a user: those of the search, and the one by which mentions find the username. */
export function directoryEntries(user: UserRecord): string[] {
  const mention = `${SEPARATOR}${mentionKey(user.username.slice(0, READ)).slice(0, READ)}`;
  return [...searchedBy(user), mention].map((name) => encodeEntry({ name, id: user.id }));
}
