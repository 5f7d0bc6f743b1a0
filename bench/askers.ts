/** Users who ask the assistant, each in their own private room. Runs in a separate process, like the clients of load.ts. */
import { setTimeout as delay } from "node:timers/promises";
import { type Client, createClient } from "graphql-ws";
import { WebSocket } from "ws";

export type Order =
  /** Creates accounts, each with a private room with the assistant, and subscribes to its answers there. */
  | { open: { url: string; askers: number } }
  /** `atOnce` users ask, `apart` ms after one another; when all answers are complete, the next users ask. Repeats `times` times. */
  | { ask: { atOnce: number; times: number; apart?: number } };

/** The outcome of the questions. */
export interface Answered {
  done: number;
  /** Time from when the endpoint sends the first word until it arrives here, in ms. */
  p50: number;
  p95: number;
  p99: number;
}

const REGISTER = `mutation ($username: String!) { register(username: $username, password: "password123") { token } }`;
const ASSISTANT = `{ user(username: "assistant") { id } }`;
const OPEN = `mutation ($userId: ID!) { openPrivateRoom(userId: $userId) { id } }`;
const FOLLOW = `subscription ($roomId: ID!) { assistantReply(roomId: $roomId) { replyTo text delta state problem } }`;
const SEND = `mutation ($roomId: ID!) { send(roomId: $roomId, text: "What do you think?") { id } }`;

interface Reply {
  replyTo: string;
  text: string;
  delta: string;
  state: "WRITING" | "DONE" | "CANCELLED" | "FAILED";
  problem: string | null;
}

class Asker {
  readonly #client: Client;
  readonly #roomId: string;
  readonly #timed = new Set<string>();
  readonly latencies: number[];
  #answered = () => {};

  private constructor(client: Client, roomId: string, latencies: number[]) {
    this.#client = client;
    this.#roomId = roomId;
    this.latencies = latencies;
    client.subscribe<{ assistantReply: Reply }>(
      { query: FOLLOW, variables: { roomId } },
      { next: ({ data }) => data && this.#heard(data.assistantReply), error: fail, complete: () => {} },
    );
  }

  static async open(url: string, username: string, latencies: number[]): Promise<Asker> {
    const socketUrl = url.replace(/^http/, "ws");
    const stranger = createClient({ url: socketUrl, webSocketImpl: WebSocket, lazy: true });
    const { register } = await run<{ register: { token: string } }>(stranger, REGISTER, { username });
    await stranger.dispose();
    const connectionParams = { authorization: `Bearer ${register.token}` };
    const client = createClient({ url: socketUrl, webSocketImpl: WebSocket, lazy: false, connectionParams });
    const { openPrivateRoom } = await run<{ openPrivateRoom: { id: string } }>(client, OPEN, { userId: await assistantId(client) });
    return new Asker(client, openPrivateRoom.id, latencies);
  }

  async ask(): Promise<void> {
    const answered = new Promise<void>((resolve) => {
      this.#answered = resolve;
    });
    await run(this.#client, SEND, { roomId: this.#roomId });
    await answered;
  }

  #heard({ replyTo, text, state, problem }: Reply): void {
    if (state === "FAILED" || state === "CANCELLED") fail(problem ?? state);
    const sent = /^(\d+\.?\d*) /.exec(text)?.[1];
    if (sent !== undefined && !this.#timed.has(replyTo)) {
      this.#timed.add(replyTo);
      this.latencies.push(performance.timeOrigin + performance.now() - Number(sent));
    }
    if (state === "DONE") this.#answered();
  }
}

const askers: Asker[] = [];
const latencies: number[] = [];

async function obey(order: Order): Promise<object> {
  if ("open" in order) {
    const { url, askers: count } = order.open;
    for (let opened = 0; opened < count; opened += 10) {
      const some = Array.from({ length: Math.min(10, count - opened) }, (_, n) => Asker.open(url, `asker-${opened + n}`, latencies));
      askers.push(...(await Promise.all(some)));
    }
    return {};
  }
  const { atOnce, times, apart = 0 } = order.ask;
  latencies.length = 0;
  for (let time = 0; time < times; time++) {
    const some = Array.from({ length: atOnce }, (_, n) => askers[(time * atOnce + n) % askers.length] as Asker);
    await Promise.all(some.map((asker, n) => delay(n * apart).then(() => asker.ask())));
  }
  latencies.sort((one, other) => one - other);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
  return { done: atOnce * times, p50: at(0.5), p95: at(0.95), p99: at(0.99) } satisfies Answered;
}

process.on("message", async (order: Order) => process.send?.(await obey(order)));

/** Runs a query or a mutation. */
async function run<Data>(client: Client, query: string, variables: Record<string, unknown> = {}): Promise<Data> {
  for await (const { data, errors } of client.iterate<Data>({ query, variables })) {
    if (data && !errors) return data;
    fail(errors);
  }
  return fail("no answer");
}

/** The id of the assistant's account, which the worker creates when it starts. */
async function assistantId(client: Client): Promise<string> {
  for (;;) {
    const { user } = await run<{ user: { id: string } | null }>(client, ASSISTANT);
    if (user) return user.id;
    await delay(100);
  }
}

/** Ends the process and with it the run, because figures that include failures are worthless. */
function fail(why: unknown): never {
  process.stderr.write(`an asker failed: ${why instanceof Error ? why.message : JSON.stringify(why)}\n`);
  process.exit(1);
}
