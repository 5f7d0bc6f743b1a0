import { readdirSync, readFileSync } from "node:fs";
import { parse, validate } from "graphql";
import { describe, expect, it } from "vitest";
import { buildApi } from "../src/server/schema.js";
import * as documents from "./clients/follow.js";
import messagesSubscription from "./clients/relay/followMessagesSubscription.graphql.js";
import pageQuery from "./clients/relay/followPageQuery.graphql.js";
import roomsQuery from "./clients/relay/followRoomsQuery.graphql.js";

const root = new URL("../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const pages = ["README.md", "client-example/README.md", ...readdirSync(new URL("docs", root)).map((name) => `docs/${name}`)].filter(
  (path) => path.endsWith(".md"),
);

/** A marker that names a file, and the code block that shows the file. */
const SHOWN = /<!-- (test\/clients\/\S+) -->\n```ts\n[\s\S]*?```/g;

describe("examples in the docs", () => {
  it.each(pages)("[DOC1] shows the clients exactly as the tests run them: %s", async (page) => {
    const text = read(page).replace(SHOWN, (_, file) => `<!-- ${file} -->\n\`\`\`ts\n${read(file)}\`\`\``);
    await expect(text).toMatchFileSnapshot(`../${page}`);
  });

  it("[DOC1] contains no TypeScript that tests do not run", () => {
    for (const page of pages) expect(read(page).replace(SHOWN, ""), page).not.toMatch(/```(ts|tsx|js|jsx)\b/);
  });

  it("[DOC2] contains only GraphQL that is valid against the schema", async () => {
    const schema = await buildApi();
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
