/** Clients that want to hurt the server: a process of its own, as the clients of load.ts. */
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";

/** What one attacker does over each of its sockets. */
export interface Attack {
  /** The API, over HTTP. */
  url: string;
  sockets: number;
  /** Who it is: sockets take turns; none for strangers. */
  tokens: string[];
  /** Where it seems to come from. */
  address: string;
  /** The operation; `%n` stands for a number of its own. */
  query: string;
  variables?: Record<string, unknown>;
  /** How many it keeps under way on each socket. */
  atOnce: number;
  /** Whether it reads answers. */
  reads: boolean;
  /** They are subscriptions: begun once. */
  follows?: boolean;
  seconds: number;
}

export interface Attacked {
  answered: number;
  /** Answers with errors, by the first one's code. */
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
