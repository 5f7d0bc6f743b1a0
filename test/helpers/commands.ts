import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import type { Redis } from "ioredis";
import { expect } from "vitest";
import { cleanUp } from "./cleanup.js";

/** What a Redis is asked, in order, by scripts as well: each command with its arguments. */
export interface Commands {
  readonly seen: readonly string[][];
  /** Resolves once all that was asked up to now is in `seen`. */
  all(): Promise<void>;
}

/**
 * Watches a Redis with MONITOR. Not with the client's own `monitor()`: that fails when the first command to be told arrives
 * together with the answer to MONITOR, as it does on a busy Redis.
 */
export async function watchCommands(client: Redis): Promise<Commands> {
  const { host = "127.0.0.1", port = 6379 } = client.options;
  const socket = createConnection({ host, port });
  cleanUp(() => void socket.destroy());
  const seen: string[][] = [];
  const lines = createInterface(socket);
  lines.on("line", (line) => {
    const [, told] = /^\+[\d.]+ \[[^\]]*\] (.*)$/.exec(line) ?? [];
    if (told !== undefined) seen.push(wordsIn(told));
  });
  await once(socket, "connect");
  socket.write("MONITOR\r\n");
  await once(lines, "line");
  return {
    seen,
    async all() {
      const mark = randomUUID();
      await client.echo(mark);
      await expect.poll(() => seen.some(([, word]) => word === mark), { timeout: 10_000 }).toBe(true);
    },
  };
}

/** The words of a line, each of which Redis puts in quotes, with the escapes of C. */
function wordsIn(line: string): string[] {
  return [...line.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([word]) => {
    const asJson = word.replaceAll(/\\(x[\da-f]{2}|.)/gi, (sequence, [kind = "", ...code]: string) => {
      if (kind === "x") return `\\u00${code.join("")}`;
      return kind === "a" ? "\\u0007" : sequence;
    });
    return JSON.parse(asJson) as string;
  });
}
