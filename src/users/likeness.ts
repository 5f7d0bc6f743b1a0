import { createRequire } from "node:module";
import { mentionKey } from "../text/fold.js";

// Its types promise a default export that Node does not see in it.
const prototypesIn: (text: string) => string = createRequire(import.meta.url)("unhomoglyph");

/** Every character by the one that it is mistaken for, as UTS 39 lists them, in one letter case. */
function skeletonOf(text: string): string {
  const once = (part: string) => prototypesIn(part.normalize("NFD")).normalize("NFD").toLowerCase();
  return once(once(text)); // a capital Mu is an M, whose small letter looks like rn
}

const READ = 256; // characters of a name that are looked at, should someone else have written a long one

/** What shows of a name, in one form: compatibility characters (full width, superscript) are the plain ones. */
const visible = (name: string) =>
  name
    .slice(0, READ)
    .toWellFormed()
    .normalize("NFKC")
    .replace(/\p{Default_Ignorable_Code_Point}|\s/gu, "");

/** A name as it is compared at a log-in: the same however it is typed, in whatever letter case and Unicode form. */
export const foldedName = (name: string) => mentionKey(visible(name));

/**
 * What a username looks like: two that have one of these in common look alike. A name has several as letters look alike in one case and
 * not in the other: `Ian` is like `lan` and the same as `ian`; a Greek capital Nu is like N, and its small letter like v.
 */
export function looksOf(name: string): string[] {
  const shown = visible(name);
  const looks = [shown, foldedName(name), shown.toUpperCase()].map(skeletonOf);
  return [...new Set(looks)].filter((look) => look !== "");
}

const MOST_KNOWN = 1_000; // names whose look is kept at hand

const known = new Map<string, string>();

/** What any name looks like: the same for all that look alike as they are shown, and for some that only nearly do. */
export function lookOf(name: string): string {
  const look = known.get(name) ?? skeletonOf(visible(name)).replaceAll("i", "l");
  if (known.size >= MOST_KNOWN) known.clear();
  if (name.length <= READ) known.set(name, look);
  return look;
}
