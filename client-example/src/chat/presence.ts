import type { Client } from "@urql/core";
import { OnlineChangesDocument, WhoIsOnlineDocument } from "../gql/graphql";
import { insist } from "./api";
import type { Live } from "./live";
import { Store } from "./store";

const AT_ONCE = 1_000; // users; the limit of one subscription and of `onlineUsers`
const GATHERED_FOR = 50; // ms; a new list watches its people one after the other

/** Which of the users on the screen are online. */
export class Presence {
  readonly online = new Store<ReadonlySet<string>>(new Set());
  readonly #client: Client;
  readonly #live: Live;
  readonly #watched = new Map<string, number>();
  #gathering: ReturnType<typeof setTimeout> | undefined;
  #follows = new Set<string>();
  #stop = () => {};

  constructor(client: Client, live: Live) {
    this.#client = client;
    this.#live = live;
  }

  /** @returns a function that stops watching */
  watch(userIds: readonly string[]): () => void {
    for (const id of userIds) this.#watched.set(id, (this.#watched.get(id) ?? 0) + 1);
    if (userIds.some((id) => !this.#follows.has(id))) this.#gathering ??= setTimeout(() => this.follow(), GATHERED_FOR);
    return () => {
      for (const id of userIds) {
        const watchers = (this.#watched.get(id) ?? 0) - 1;
        if (watchers > 0) this.#watched.set(id, watchers);
        else this.#watched.delete(id);
      }
    };
  }

  /** Subscribes to the watched users and queries their current state, which the subscription does not send. Called at each connect, too. */
  follow(): void {
    this.close();
    this.#follows = new Set([...this.#watched.keys()].slice(-AT_ONCE));
    if (this.#follows.size === 0) return;
    const told = new Set<string>(); // changed since the subscription started, so newer than the query's answer
    this.#stop = this.#live.subscribe(OnlineChangesDocument, { userIds: [...this.#follows] }, ({ userOnline: { id, online } }) => {
      told.add(id);
      this.#set([id], online);
    });
    const follows = this.#follows;
    insist(() => this.#client.query(WhoIsOnlineDocument, {})).then(
      ({ onlineUsers }) => {
        if (follows !== this.#follows) return;
        const online = new Set(onlineUsers.map(({ id }) => id));
        const untold = [...follows].filter((id) => !told.has(id));
        this.#set(
          untold.filter((id) => online.has(id)),
          true,
        );
        if (online.size < AT_ONCE)
          this.#set(
            untold.filter((id) => !online.has(id)),
            false,
          );
      },
      () => {}, // the session ended
    );
  }

  close(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#stop();
  }

  #set(userIds: string[], isOnline: boolean): void {
    const online = new Set(this.online.get());
    for (const id of userIds) isOnline ? online.add(id) : online.delete(id);
    this.online.set(online);
  }
}
