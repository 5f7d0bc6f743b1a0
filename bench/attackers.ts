/** Malicious clients. Runs in a separate process, like the clients of load.ts. */
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";

/** The actions of one attacker on each of its sockets. */
export interface Attack {
  /** The HTTP URL of the API. */
  url: string;
  sockets: number;
  /** Session tokens, used by the sockets in turn; empty for sockets that are not signed in. */
  tokens: string[];
  /** The client address that the attacker claims. */
  address: string;
  /** The operation; `%n` is replaced with a unique number. */
  query: string;
  variables?: Record<string, unknown>;
  /** The number of operations in flight per socket. */
  atOnce: number;
  /** Whether the attacker reads answers. */
  reads: boolean;
  /** Whether the operations are subscriptions, which are started only once. */
  follows?: boolean;
  seconds: number;
}

export interface Attacked {
  answered: number;
  /** Answers with errors, by the code of the first error. */
  refused: Record<string, number>;
  closed: number;
}

process.on("message", async (attack: Attack) => {
  process.send?.(await mount(attack));
});

async function mount(attack: Attack): Promise<Attacked> {
  const result: Attacked = { answered: 0, refused: {}, closed: 0 };
  const until = performance.now() + attack.seconds * 1_000;
  let number = 0;
  const sockets = Array.from({ length: attack.sockets }, (_, n) => open(attack.tokens[n % attack.tokens.length]));
  await delay(attack.seconds * 1_000);
  const left = { ...result };
  for (const socket of sockets) socket.terminate();
  return left;

  function open(token: string | undefined): WebSocket {
    const url = `${attack.url.replace(/^http/, "ws")}`;
    const socket = new WebSocket(url, "graphql-transport-ws", { headers: { "x-forwarded-for": attack.address } });
    const ask = () => {
      const id = String(++number);
      const query = attack.query.replaceAll("%n", id);
      socket.send(JSON.stringify({ id, type: "subscribe", payload: { query, variables: attack.variables } }));
    };
    socket.on("open", () =>
      socket.send(JSON.stringify({ type: "connection_init", payload: token ? { authorization: `Bearer ${token}` } : {} })),
    );
    socket.on("message", (data) => {
      const text = String(data);
      if (text.includes('"connection_ack"')) {
        for (let n = 0; n < attack.atOnce; n++) ask();
        if (!attack.reads) socket.pause();
      }
      const { type } = JSON.parse(text) as { type: string };
      if (type === "next" || type === "error") {
        const code = /"code":"(\w+)"/.exec(text)?.[1];
        if (code) result.refused[code] = (result.refused[code] ?? 0) + 1;
        else result.answered++;
      }
      if ((type === "complete" || type === "error") && !attack.follows && performance.now() < until) ask();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      result.closed++;
    });
    return socket;
  }
}
