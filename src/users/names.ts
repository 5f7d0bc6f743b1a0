import type { UserRecord } from "./user.store.js";

/** How names are compared: what looks alike is alike, whatever the letter case. */
export function fold(text: string): string {
  const alike = text.toWellFormed().normalize("NFKC").toLowerCase().normalize("NFKC");
  return alike
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, LONGEST)
    .toWellFormed();
}

const LONGEST = 64; // UTF-16 units of a folded name; what is beyond is not searched
const MOST_WORDS = 8; // of a name
const READ = 256; // characters of a name that are looked at, should someone else have written a long one

/** What a user is found by: the username, and the name from each of its words on. */
export function searchedBy({ username, name }: Pick<UserRecord, "username" | "name">): string[] {
  const words = fold(name.slice(0, READ)).split(" ");
  const endings = words.slice(0, MOST_WORDS).map((_, index) => words.slice(index).join(" "));
  return [...new Set([fold(username.slice(0, READ)), ...endings])].filter((key) => key !== "");
}

const SEPARATOR = "\0"; // in no folded name, and before everything else: the shorter of two names comes first

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

/** The entries of the directory that lead to a user. */
export function directoryEntries(user: UserRecord): string[] {
  return searchedBy(user).map((name) => encodeEntry({ name, id: user.id }));
}
