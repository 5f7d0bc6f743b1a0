import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Words of which prose gets hard to read; most sentences that need one of them have no clear subject. */
const AVOIDED = [
  "whoever",
  "anew",
  "(?:am|is|are|was|were|be|been) told",
  "told of",
  "so many(?! )",
  "nobody (?:is|has|was|can|else)",
  "one's own",
  "has no place in",
  "lets? go of",
  "in the same breath",
  "sees? to (?:it|that|the)",
];

/** Test data and names in code may contain the words; prose may not. */
const isProse = (line: string) => /^\s*(?:\/\/|\/?\*|--|#|\|)|\/\/ |-- |description:|say:|help:|\bit\(|describe\(/.test(line);

it("[DOC3] prose avoids the words that made it hard to read", () => {
  const files = ["README.md", "src", "test", "docs", "client-example", "bench", "scripts"]
    .flatMap((place) =>
      place.includes(".")
        ? [place]
        : readdirSync(`${root}/${place}`, { recursive: true, encoding: "utf8" }).map((file) => `${place}/${file}`),
    )
    .filter(
      (file) =>
        /\.(?:ts|tsx|lua|md|css|graphql|js|mjs)$/.test(file) && !/node_modules|\/dist\/|\/gql\/|schema\.graphql|prose\.test/.test(file),
    );
  expect(files.length).toBeGreaterThan(300);
  const pattern = new RegExp(`\\b(?:${AVOIDED.join("|")})\\b`, "i");
  const found = files.flatMap((file) =>
    readFileSync(`${root}/${file}`, "utf8")
      .split("\n")
      .flatMap((line, index) =>
        pattern.test(line) && (file.endsWith(".md") || isProse(line)) ? [`${file}:${index + 1} ${line.trim()}`] : [],
      ),
  );
  expect(found).toEqual([]);
});
