import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

function filesIn(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => join(folder, file))
    .filter((file) => ending.test(file));
}

const read = (file: string) => readFileSync(join(root, file), "utf8");
const sources = filesIn("src", /\.ts$/);

/** `messages` for src/messages/page.ts, `main` for src/main.ts. */
const partOf = (file: string) => relative("src", file).replace(/\.ts$/, "").split("/")[0] as string;

/** The features, in the order of `features.ts`. */
const listed = [...read("src/features.ts").matchAll(/^ {2}(\w+),$/gm)].map(([, name]) => name as string);

/** The parts of src, lowest first. A part imports only from itself and from lower ones. */
const parts = [
  "util",
  "config",
  "redis",
  "log",
  "consumers",
  "api",
  "feature",
  ...listed,
  "transports",
  "features",
  "program",
  "main",
  "worker",
];

const imports = sources.flatMap((file) =>
  [...read(file).matchAll(/(?:from|import) "(\.[^"]+)"/g)].map(([, path = ""]) => ({
    file,
    target: normalize(join(dirname(file), path)).replace(/\.js$/, ".ts"),
  })),
);

it("[ARCH1] orders the parts of src, and lets each import only from lower ones, types included", () => {
  const places = new Map(parts.map((part, place) => [part, place]));
  expect(sources.filter((file) => !places.has(partOf(file)))).toEqual([]);
  expect(imports.length).toBeGreaterThan(500);
  expect(imports.filter(({ file, target }) => (places.get(partOf(target)) ?? 0) > (places.get(partOf(file)) ?? 0))).toEqual([]);
});

it("[ARCH1] has no cycle of files", () => {
  const targets = new Map(sources.map((file) => [file, imports.filter((one) => one.file === file).map(({ target }) => target)]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, path: string[]) => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    else if (!done.has(file)) for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of sources) visit(file, []);
  expect(cycles).toEqual([]);
});

it("[ARCH2] names a feature only in its folder, in features.ts, and in the features that build on it", () => {
  expect(listed.length).toBeGreaterThan(10);
  expect(listed.filter((feature) => !sources.includes(`src/${feature}/feature.ts`))).toEqual([]);
  const outside = imports.filter(({ file, target }) => listed.includes(partOf(target)) && !listed.includes(partOf(file)));
  expect(outside.filter(({ file }) => file !== "src/features.ts" && !ASSISTANT_PROGRAM.includes(file))).toEqual([]);
});

it("[ARCH5] keeps the tests of a part of src in the folder of its name", () => {
  const others = ["clients", "page", "project"];
  const tests = filesIn("test", /\.test\.ts$/).map((file) => relative("test", file));
  const folders = new Set(tests.map((file) => (file.includes("/") ? dirname(file) : "")));
  expect([...folders].filter((folder) => !["", ...others, ...parts].includes(folder))).toEqual([]);
  expect(listed.filter((feature) => !folders.has(feature))).toEqual([]);
});

/** The worker's program runs the assistant alone. */
const ASSISTANT_PROGRAM = ["src/program/platform.ts", "src/program/assistant-worker.ts", "src/worker.ts"];

it("[ARCH6] keeps the log and the connections to Redis free of what is said about chats", () => {
  const words = /\b(?:chats?|mention(?:s|ed)?|reactions?|typing|assistant|demos?|private rooms?|unread)\b/i;
  const message = /(?<!\.)\bmessages?\b/i; // not an error's; Redis and Node have messages of their own
  const found = [...filesIn("src/log", /\.(?:ts|lua)$/), ...filesIn("src/redis", /\.(?:ts|lua)$/)].flatMap((file) => {
    const lines = read(file).split("\n");
    return lines.filter((line) => words.test(line) || (file.startsWith("src/log") && message.test(line))).map((line) => `${file}: ${line}`);
  });
  expect(found).toEqual([]);
});

it("[ARCH3] reads the environment only in command-line.ts, and builds keys in files keys.ts", () => {
  const texts = sources.map((file) => [file, read(file)] as const);
  const environment = texts.filter(([, text]) => text.includes("process.env"));
  expect(environment.map(([file]) => file)).toEqual(["src/program/command-line.ts"]);
  const keys = texts.filter(
    ([file, text]) =>
      /["'`](?:room|user|log|meta|foreign|announced|sent|reads|members|sessions|presence|lease|users|username):/.test(text) &&
      !file.endsWith("/keys.ts"),
  );
  expect(keys.map(([file]) => file)).toEqual(["src/users/user.resolver.ts"]); // a cursor
});

it("[ARCH4] quotes every rule of SPEC.md in a test title, and quotes no unknown rule", () => {
  const promised = [...read("test/SPEC.md").matchAll(/^- \*\*(\w+)\*\*/gm)].map(([, id]) => id as string);
  const tests = ["test", "client-example/test"]
    .flatMap((folder) => filesIn(folder, /\.test\.ts$/))
    .map(read)
    .join("\n");
  const quoted = [...tests.matchAll(/["'`]\[([A-Z]+\d+)\] /g)].map(([, id]) => id as string);
  expect(promised.length).toBeGreaterThan(20);
  expect([...new Set(quoted)].sort()).toEqual([...new Set(promised)].sort());
  expect(new Set(promised).size).toBe(promised.length);
});
