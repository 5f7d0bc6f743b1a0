import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createConnection } from "node:net";
import { createInterface } from "node:readline";
import type { Redis } from "ioredis";
import { expect } from "vitest";
import { cleanUp } from "./cleanup.js";

/** A command that a Redis has run. */
export interface Command {
  /** Whether a script ran it. */
  inScript: boolean;
  /** In lower case. */
  name: string;
  args: string[];
}

/** The commands that a Redis runs, in order. */
export interface Commands {
  readonly seen: readonly Command[];
  /** Resolves once all commands sent so far are in `seen`. */
  all(): Promise<void>;
}

/**
 * Watches a Redis with MONITOR. The client's own `monitor()` fails if the first reported command arrives together with the answer to
 * MONITOR, as it does on a busy Redis.
 */
export async function watchCommands(client: Redis): Promise<Commands> {
  const { host = "127.0.0.1", port = 6379 } = client.options;
  const socket = createConnection({ host, port });
  cleanUp(() => void socket.destroy());
  const seen: Command[] = [];
  const lines = createInterface(socket);
  lines.on("line", (line) => {
    const [, source, told] = /^\+[\d.]+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? [];
    if (told === undefined) return;
    const [name = "", ...args] = wordsIn(told);
    seen.push({ inScript: source === "lua", name: name.toLowerCase(), args });
  });
  await once(socket, "connect");
  socket.write("MONITOR\r\n");
  await once(lines, "line");
  return {
    seen,
    async all() {
      const mark = randomUUID();
      await client.echo(mark);
      await expect.poll(() => seen.some(({ args }) => args[0] === mark)).toBe(true);
    },
  };
}

/** Splits a line into its words, which Redis quotes with C escapes. */
function wordsIn(line: string): string[] {
  return [...line.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([word]) => {
    const asJson = word.replaceAll(/\\(x[\da-f]{2}|.)/gi, (sequence, [kind = "", ...code]: string) => {
      if (kind === "x") return `\\u00${code.join("")}`;
      return kind === "a" ? "\\u0007" : sequence;
    });
    return JSON.parse(asJson) as string;
  });
}
