import { createRequire } from "node:module";
import { mentionKey } from "./fold.js";

// Its types declare a default export that Node does not find.
const prototypesIn: (text: string) => string = createRequire(import.meta.url)("unhomoglyph");

/** Replaces each character with the one that it can be mistaken for, as listed in UTS 39, in one letter case. */
function skeletonOf(text: string): string {
  const once = (part: string) => prototypesIn(part.normalize("NFD")).normalize("NFD").toLowerCase();
  return once(once(text)); // a capital Mu is an M, whose small letter looks like rn
}

const READ = 256; // characters of a name that are read; another program may have written a longer one

/** The visible characters of a name, in one form: compatibility characters (full width, superscript) become plain ones. */
const visible = (name: string) =>
  name
    .slice(0, READ)
    .toWellFormed()
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}|\s/gu, "");

/** A name as logins compare it: the same in any letter case and Unicode form. */
export const foldedName = (name: string) => mentionKey(visible(name));

/**
 * The skeletons of a username: two usernames that share one look alike. A username has several, because letters may look alike in one case
 * but not in the other: `Ian` looks like `lan` and is the same as `ian`; a Greek capital Nu looks like N, and its small letter like v.
 */
export function looksOf(name: string): string[] {
  const shown = visible(name);
  const looks = [shown, foldedName(name), shown.toUpperCase()].map(skeletonOf);
  return [...new Set(looks)].filter((look) => look !== "");
}

const MOST_KNOWN = 1_000; // names whose skeleton is cached

const known = new Map<string, string>();

/** The skeleton of any name: the same for all names that look alike when displayed, and for some that only nearly do. */
export function lookOf(name: string): string {
  const look = known.get(name) ?? skeletonOf(visible(name)).replaceAll("i", "l");
  if (known.size >= MOST_KNOWN) known.clear();
  if (name.length <= READ) known.set(name, look);
  return look;
}
