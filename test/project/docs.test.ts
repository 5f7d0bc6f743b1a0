import { existsSync, readdirSync, readFileSync } from "node:fs";
import { parse, validate } from "graphql";
import { describe, expect, it } from "vitest";
import { features } from "../../src/features.js";
import { buildApi } from "../../src/program/schema.js";
import * as documents from "../clients/follow.js";
import messagesSubscription from "../clients/relay/followMessagesSubscription.graphql.js";
import pageQuery from "../clients/relay/followPageQuery.graphql.js";
import roomsQuery from "../clients/relay/followRoomsQuery.graphql.js";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const pages = ["README.md", "client-example/README.md", ...readdirSync(new URL("docs", root)).map((name) => `docs/${name}`)].filter(
  (path) => path.endsWith(".md"),
);

/** A marker that names a file, and the code block that shows the file. */
const SHOWN = /<!-- (test\/clients\/\S+) -->\n```ts\n[\s\S]*?```/g;

/** A table that is made from code, between the file and its end. */
const MADE = /<!-- made from the (.+) by `npm run docs` -->\n[\s\S]*?<!-- end -->/g;

const TABLES: Record<string, () => string> = {
  "rights of all features": () => {
    const who = (roles: readonly string[]) => {
      if (roles.length === 0) return "no one";
      return roles.includes("MEMBER") ? "every member" : "the owner";
    };
    const rows = features
      .flatMap(({ rights = [] }) => rights)
      .map(({ about, GENERAL, PRIVATE, GROUP }) => `| ${about} | ${who(GROUP)} | ${who(PRIVATE)} | ${who(GENERAL)} |\n`);
    return `| may | in a group | in a private room | in the general room |\n|---|---|---|---|\n${rows.join("")}`;
  },
};

describe("examples in the docs", () => {
  it.each(pages)("[DOC1] shows the clients exactly as the tests run them: %s", async (page) => {
    const text = read(page)
      .replace(SHOWN, (_, file) => `<!-- ${file} -->\n\`\`\`ts\n${read(file)}\`\`\``)
      .replace(MADE, (_, from) => `<!-- made from the ${from} by \`npm run docs\` -->\n${TABLES[from]?.() ?? ""}<!-- end -->`);
    await expect(text).toMatchFileSnapshot(`../../${page}`);
  });

  it("[DOC1] contains no TypeScript that tests do not run", () => {
    for (const page of pages) expect(read(page).replace(SHOWN, ""), page).not.toMatch(/```(ts|tsx|js|jsx)\b/);
  });

  it("[DOC2] contains only GraphQL that is valid against the schema", async () => {
    const schema = await buildApi(features);
    for (const page of pages) {
      for (const [, example] of read(page).matchAll(/```graphql\n([\s\S]*?)```/g)) {
        expect(validate(schema, parse(example as string)), `${page}: ${example}`).toEqual([]);
      }
    }
  });

  it("[DOC1] uses the same documents in Relay's compiled files as in the other clients", () => {
    const withoutName = (text: string | null | undefined) => text?.replace(/^(query|subscription) \w+/, "$1").replace(/\s+/g, "");
    for (const [request, document] of [
      [roomsQuery, documents.ROOMS],
      [pageQuery, documents.PAGE],
      [messagesSubscription, documents.FOLLOW],
    ] as const)
      expect(withoutName(request.params.text)?.replace(/^query(?=\{)/, "")).toBe(withoutName(document));
  });
});

describe("references in the docs", () => {
  const files = readdirSync(new URL("src", root), { recursive: true, encoding: "utf8" });
  const folders = [...new Set(files.filter((file) => file.includes("/")).map((file) => file.split("/")[0] as string))];

  it.each(pages)("[DOC4] name files that exist: %s", (page) => {
    const text = read(page);
    const links = [...text.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^\w+:/.test(target));
    expect(links.filter((target) => !existsSync(new URL(target, new URL(page, root))))).toEqual([]);
    const named = [...text.matchAll(/`((\w+)\/[\w./-]+)`/g)].flatMap(([, path = "", folder = ""]) =>
      folders.includes(folder) ? path : [],
    );
    expect(named.filter((path) => !["", ".ts", ".lua"].some((ending) => existsSync(new URL(`src/${path}${ending}`, root))))).toEqual([]);
  });
});
