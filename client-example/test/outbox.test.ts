import { CombinedError } from "@urql/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refused } from "../src/chat/api";
import { Outbox } from "../src/chat/outbox";

/** The parts of a browser that the outbox uses. */
beforeEach(() => {
  const stored: Record<string, string> = {};
  const storage = {
    getItem: (key: string) => stored[key] ?? null,
    setItem(key: string, text: string) {
      stored[key] = text;
    },
    removeItem(key: string) {
      delete stored[key];
    },
  };
  // Like a real Storage, whose keys are properties.
  vi.stubGlobal("localStorage", new Proxy(storage, { ownKeys: () => Object.keys(stored), getOwnPropertyDescriptor: () => DESCRIPTOR }));
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("requestAnimationFrame", () => 0);
  vi.stubGlobal("cancelAnimationFrame", () => {});
  vi.stubGlobal("addEventListener", () => {});
  vi.stubGlobal("removeEventListener", () => {});
});
afterEach(() => void vi.unstubAllGlobals());

const DESCRIPTOR = { enumerable: true, configurable: true };

const LIMITED = new Refused(
  new CombinedError({
    graphQLErrors: [{ message: "Too many messages.", extensions: { code: "RATE_LIMITED", retryable: true, retryAfter: 1 } }],
  }),
);

describe("the outbox", () => {
  it.each([
    ["it is discarded", (outbox: Outbox, id: string) => outbox.drop(id)],
    ["the user signs out", (outbox: Outbox) => outbox.clear()],
  ])("[PAGE37] forgets a message that is refused for now, if meanwhile %s", async (_what, deed) => {
    let refuse = (_error: Error) => {};
    const send = vi.fn(
      () =>
        new Promise<never>((_resolve, reject) => {
          refuse = reject;
        }),
    );
    const outbox = new Outbox("1", send, () => {});
    outbox.add("0", "secret", null);
    await vi.waitFor(() => expect(send).toHaveBeenCalled());
    deed(outbox, outbox.outgoing.get()[0]?.clientMessageId ?? "");
    refuse(LIMITED);
    await new Promise((resolve) => setImmediate(resolve));
    expect(outbox.outgoing.get()).toEqual([]);
    outbox.close();
  });
});
