import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

function filesIn(folder: string, ending: RegExp): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((file) => join(folder, file))
    .filter((file) => ending.test(file));
}

const read = (file: string) => readFileSync(join(root, file), "utf8");
const sources = filesIn("src", /\.ts$/);

/** The layers, lowest first. A file imports from its own layer and from lower ones. */
const layers = [
  [
    "config",
    "counted",
    "redis-address",
    "errors",
    "limited-log",
    "memo",
    "open-to-all",
    "portions",
    "relay",
    "repeatable",
    "text",
    "turns",
    "work",
  ],
  ["redis"],
  ["delivery"],
  ["context", "assistant", "interop", "messages", "presence", "rooms", "sessions", "users"],
  ["server"],
  ["command-line"],
  ["main", "worker"],
];
const features = ["assistant", "interop", "messages", "presence", "rooms", "sessions", "users"];

/** `messages` for src/messages/page.ts, `main` for src/main.ts. */
const partOf = (file: string) => relative("src", file).replace(/\.ts$/, "").split("/")[0] as string;
const layerOf = (file: string) => layers.findIndex((layer) => layer.includes(partOf(file)));

const imports = sources.flatMap((file) =>
  [...read(file).matchAll(/(?:from|import) "(\.[^"]+)"/g)].map(([, path = ""]) => ({
    file,
    target: normalize(join(dirname(file), path)).replace(/\.js$/, ".ts"),
  })),
);

it("[ARCH1] assigns every part of src to a layer, and imports only from the same or lower layers", () => {
  expect(sources.filter((file) => layerOf(file) < 0)).toEqual([]);
  expect(imports.length).toBeGreaterThan(50);
  expect(imports.filter(({ file, target }) => layerOf(target) > layerOf(file))).toEqual([]);
});

it("[ARCH2] lets features import only each other's stores and types", () => {
  const across = imports.filter(
    ({ file, target }) => features.includes(partOf(file)) && features.includes(partOf(target)) && partOf(file) !== partOf(target),
  );
  expect(across.filter(({ target }) => !/\.(store|type)\.ts$/.test(target) && target !== "src/sessions/password.ts")).toEqual([]);
});

it("[ARCH3] reads the environment only in command-line.ts and config.ts, and builds keys in keys.ts", () => {
  const texts = sources.map((file) => [file, read(file)] as const);
  const environment = texts.filter(
    ([file, text]) => text.includes("process.env") && !["src/command-line.ts", "src/config.ts"].includes(file),
  );
  expect(environment.map(([file]) => file)).toEqual([]);
  const keys = texts.filter(
    ([file, text]) =>
      /["'`](?:room|user|log|meta|foreign|announced|sent|reads|members|sessions|presence|lease|users|username):/.test(text) &&
      file !== "src/redis/keys.ts",
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
