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

/** A mark that names a file, and the block of code that shows it. */
const SHOWN = /<!-- (test\/clients\/\S+) -->\n```ts\n[\s\S]*?```/g;

describe("examples in the docs", () => {
  it.each(pages)("[DOC1] %s shows the clients as the tests run them", async (page) => {
    const text = read(page).replace(SHOWN, (_, file) => `<!-- ${file} -->\n\`\`\`ts\n${read(file)}\`\`\``);
    await expect(text).toMatchFileSnapshot(`../${page}`);
  });

  it("[DOC1] no page shows TypeScript that no test runs", () => {
    for (const page of pages) expect(read(page).replace(SHOWN, ""), page).not.toMatch(/```(ts|tsx|js|jsx)\b/);
  });

  it("[DOC2] every GraphQL example fits the schema", async () => {
    const schema = await buildApi();
    for (const page of pages) {
      for (const [, example] of read(page).matchAll(/```graphql\n([\s\S]*?)```/g)) {
        expect(validate(schema, parse(example as string)), `${page}: ${example}`).toEqual([]);
      }
    }
  });

  it("[DOC1] what Relay's compiler made is of the documents that the other clients use", () => {
    const withoutName = (text: string | null | undefined) => text?.replace(/^(query|subscription) \w+/, "$1").replace(/\s+/g, "");
    for (const [request, document] of [
      [roomsQuery, documents.ROOMS],
      [pageQuery, documents.PAGE],
      [messagesSubscription, documents.FOLLOW],
    ] as const)
      expect(withoutName(request.params.text)?.replace(/^query(?=\{)/, "")).toBe(withoutName(document));
  });
});
