import type { Random } from "./random.js";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Values that programs often mishandle. */
const ODD: Json[] = [
  null,
  true,
  0,
  -1,
  1e308,
  4_294_967_296,
  0.5,
  "",
  " ",
  "0",
  "1:2",
  "2:1",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "\u0000",
  "\ud800",
  "\u202e",
  "💬".repeat(50),
  "x".repeat(5_000),
  "{ me { id } }",
  "{ __typename }",
  "subscription { messageAdded { text } }",
  "query ($a: ID = {}) { user(id: $a) { id } }",
  [],
  {},
  [[[[]]]],
  ["0", "0"],
  Array<Json>(500).fill("0"),
  { toString: "x", length: -1 },
  JSON.parse('{"__proto__":{"viewer":{"id":"1"}}}') as Json,
];

const SNIPPETS = [
  "1e999",
  "-0",
  "\\u0000",
  "\\ud800",
  "\0",
  '"',
  "\\",
  "{",
  "}",
  "[[[[",
  "null",
  ",",
  ":",
  "...",
  "@",
  "$",
  "# \n",
  "\u2028",
  "🜚",
];

/** Damages a frame somewhere. The result is mostly still JSON, so that it passes the first checks; otherwise any bytes. */
export function mutate(random: Random, frame: object): string {
  let text: string;
  if (random.chance(0.6)) {
    const copy = JSON.parse(JSON.stringify(frame)) as Json;
    for (let n = random.integer(1, 3); n > 0; n--) replaceSomewhere(random, copy);
    text = JSON.stringify(copy);
    if (random.chance(0.9)) return text;
  } else text = JSON.stringify(frame);
  for (let n = random.integer(1, 4); n > 0; n--) text = damage(random, text);
  return text;
}

/** Damages an operation's document or variables. The result is still a valid payload of a frame. */
export function mutateOperation(random: Random, { query, variables }: { query: string; variables: object }) {
  const values = JSON.parse(JSON.stringify(variables)) as Json;
  let document = query;
  if (random.chance(0.5)) document = random.chance(0.5) ? damage(random, query) : swapWord(random, query);
  if (random.chance(0.7)) for (let n = random.integer(1, 4); n > 0; n--) replaceSomewhere(random, values);
  return { query: document, variables: values };
}

/** Replaces one word of a document by another. The result mostly still parses. */
function swapWord(random: Random, query: string): string {
  const words = query.match(/\w+/g) ?? [];
  const [from, to] = [random.pick(words), random.pick(words)];
  return random.chance(0.5) ? query.replace(from, to) : query.replaceAll(from, to);
}

/** Damages a text, or bytes as latin1, at one place. */
export function damage(random: Random, text: string): string {
  const at = random.integer(0, text.length);
  const to = Math.min(text.length, at + random.integer(1, 20));
  return random.pick([
    () => text.slice(0, at) + text.slice(to),
    () => text.slice(0, to) + text.slice(at),
    () => text.slice(0, at) + random.pick(SNIPPETS) + text.slice(at),
    () => text.slice(0, at) + String.fromCharCode(random.integer(0, 255)) + text.slice(at + 1),
    () => text.slice(0, at),
  ])();
}

function replaceSomewhere(random: Random, value: Json): void {
  if (typeof value !== "object" || value === null) return;
  const key = random.pick(Object.keys(value));
  const container = value as Record<string, Json>;
  const inner = container[key];
  if (key === undefined) return;
  if (typeof inner === "object" && inner !== null && random.chance(0.8)) replaceSomewhere(random, inner);
  else if (random.chance(0.15)) delete container[key];
  else if (typeof inner === "string" && random.chance(0.5)) container[key] = damage(random, inner);
  else container[key] = JSON.parse(JSON.stringify(random.pick(ODD))) as Json;
}
