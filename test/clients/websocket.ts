import type { Connection, Result, Sink } from "./follow.js";

const SILENCE = 15_000; // ms without a frame from the server: the network is lost

/** Without a library: one socket per operation, with the protocol `graphql-transport-ws`. */
export function connect(url: string, token: string): Connection {
  function run(query: string, variables: Record<string, unknown>, { next, error, complete }: Sink): () => void {
    const socket = new WebSocket(url.replace("http", "ws"), "graphql-transport-ws");
    const say = (frame: object) => socket.send(JSON.stringify(frame));
    let heard = Date.now();
    const timer = setInterval(() => {
      if (Date.now() - heard > SILENCE) end(error, "no sign of life");
      else if (socket.readyState === WebSocket.OPEN) say({ type: "ping" });
    }, SILENCE / 3);

    function end<Reason>(how: (reason: Reason) => void, reason: Reason): void {
      clearInterval(timer);
      socket.onclose = null;
      socket.onmessage = null;
      socket.close();
      how(reason);
    }

    socket.onopen = () => say({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });
    socket.onerror = () => {}; // `onclose` follows
    socket.onclose = (event) => end(error, event);
    socket.onmessage = ({ data }) => {
      heard = Date.now();
      const { type, payload } = JSON.parse(data);
      if (type === "connection_ack") say({ id: "1", type: "subscribe", payload: { query, variables } });
      else if (type === "ping") say({ type: "pong" });
      else if (type === "next") next(payload);
      else if (type === "error") end(error, payload[0]);
      else if (type === "complete") end(complete, undefined);
    };
    return () => end(() => {}, undefined);
  }

  return {
    query: (query, variables) =>
      new Promise<Result>((resolve, reject) => run(query, variables, { next: resolve, error: reject, complete: () => {} })),
    subscribe: run,
  };
}
