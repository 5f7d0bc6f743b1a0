import bcrypt from "bcrypt";
import type { Redis } from "ioredis";

/**
 * The Redis side of redis-developer's Basic Redis Chat demos: exactly the bytes that each demo app writes and publishes, in its order.
 */

/** A message that a user sends in a demo app. */
export interface Said {
  roomId: string;
  /** Some demo apps write numbers, some strings, some both. */
  from: string | number;
  text: string;
  /** Seconds since 1970. */
  date: number;
}

/** How each demo app stores a message: the member of the room's sorted set, and its score. */
export const demoApps: Record<string, (said: Said) => { member: string; score: number }> = {
  /** The client's object in its original key order, with angle brackets escaped without semicolons. */
  "Node, live": ({ roomId, from, text, date }) => ({
    member: JSON.stringify({ roomId, message: text.replaceAll("<", "&lt").replaceAll(">", "&gt"), from, date }),
    score: date,
  }),
  "Node, seeded": ({ roomId, from, text, date }) => ({
    member: JSON.stringify({ from: Number(from), date, message: text, roomId }),
    score: date,
  }),
  "Flask, live": ({ roomId, from, text, date }) => ({
    member: pythonJson({ roomId, message: escapeHtml(text), from, date }),
    score: Math.floor(date),
  }),
  "Flask, seeded": ({ roomId, from, text, date }) => ({
    member: pythonJson({ from: Number(from), date, message: text, roomId }),
    score: Math.floor(date),
  }),
  Java: ({ roomId, from, text, date }) => ({
    member: escapeCharacters(JSON.stringify({ from: String(from), date: Math.floor(date), message: text, roomId }), /[<>&=']/g),
    score: Math.floor(date),
  }),
  ".NET, live": ({ roomId, from, text, date }) => ({
    member: JSON.stringify({ From: String(from), Date: Math.floor(date), Message: text, RoomId: roomId }),
    score: Math.floor(date),
  }),
  ".NET, seeded": ({ roomId, from, text, date }) => ({
    member: escapeCharacters(
      JSON.stringify({ From: String(from), Date: Math.floor(date), Message: text, RoomId: roomId }),
      /[<>&+'`]|[^ -~]/g,
    ),
    score: Math.floor(date),
  }),
};

export type AppName = "Node" | "Flask" | "Java" | ".NET";

type EventType = "message" | "show.room" | "user.connected" | "user.disconnected";

/** A user of a demo app. In the Node app the id is a number in the session in which the user registered. */
export interface Person {
  id: string | number;
  username: string;
}

/** How each demo app announces events to its other servers on the channel MESSAGES. `data` is JSON in the app's own format. */
const envelopes: Record<AppName, (type: EventType, data: string) => string> = {
  Node: (type, data) => `{"serverId":"192.0.2.2:7121","type":"${type}","data":${data}}`,
  Flask: (type, data) => `{"serverId": 163685.7183047433, "type": "${type}", "data": ${data}}`,
  Java: (type, data) => `{"type":"${type}","data":${data}}`,
  ".NET": (type, data) => JSON.stringify({ Type: type, Data: data, ServerId: "123" }),
};

/** How each demo app announces that a user came or left. */
const people: Record<AppName, (person: Person, online: boolean) => string> = {
  Node: ({ id, username }, online) => JSON.stringify({ id, username, online }),
  Flask: ({ id, username }, online) => pythonJson({ id, username, online }),
  Java: ({ id, username }) => JSON.stringify({ id: Number(id), username, isOnline: false }), // always false
  ".NET": ({ username }) => JSON.stringify(username),
};

const messages: Record<AppName, (said: Said) => { member: string; score: number }> = {
  Node: demoApps["Node, live"] as (typeof demoApps)[string],
  Flask: demoApps["Flask, live"] as (typeof demoApps)[string],
  Java: demoApps.Java as (typeof demoApps)[string],
  ".NET": demoApps[".NET, live"] as (typeof demoApps)[string],
};

/** A running demo app, driven through what its users do. */
export class DemoApp {
  constructor(
    readonly name: AppName,
    readonly redis: Redis,
  ) {}

  /** Logs in with an unknown name, which registers it. */
  async register(username: string, password = "password123"): Promise<Person> {
    const id = await this.redis.incr("total_users");
    await this.redis.set(`username:${username}`, `user:${id}`);
    await this.redis.hset(`user:${id}`, { username, password: await bcrypt.hash(password, 4) });
    await this.redis.sadd(`user:${id}:rooms`, "0");
    return { id: this.name === "Node" ? id : String(id), username };
  }

  /** Whether a login succeeds. With a dangling name, the Node app's process would crash. */
  async logsIn(username: string, password: string): Promise<boolean> {
    const key = (await this.redis.get(`username:${username}`)) as string;
    const { password: hash } = await this.redis.hgetall(key);
    return bcrypt.compare(password, hash as string);
  }

  /** Opens a tab. */
  async connect(person: Person): Promise<void> {
    await this.redis.sadd("online_users", person.id);
    await this.publish("user.connected", people[this.name](person, true));
  }

  /** Closes a tab. The app marks the user offline regardless of other tabs. */
  async disconnect(person: Person): Promise<void> {
    await this.redis.srem("online_users", person.id);
    await this.publish("user.disconnected", people[this.name](person, false));
  }

  /** POST /room, which only the Node app has. It announces nothing. */
  async openRoom(one: Person, other: Person): Promise<string> {
    const [low, high] = [Number(one.id), Number(other.id)].sort((a, b) => a - b);
    for (const { id } of [one, other]) await this.redis.sadd(`user:${id}:rooms`, `${low}:${high}`);
    return `${low}:${high}`;
  }

  /** Sends a message, by default with the current date. */
  async say(
    from: Person,
    text: string,
    { roomId = "0", date = Math.floor(Date.now() / 1_000) }: { roomId?: string; date?: number } = {},
  ): Promise<{ member: string; score: number }> {
    const stored = this.store({ from: from.id, text, roomId, date });
    await this.redis.sadd("online_users", from.id);
    const showsRooms = this.name === "Node" || this.name === "Flask";
    if (showsRooms && (await this.redis.exists(`room:${roomId}:name`)) === 0 && (await this.redis.exists(`room:${roomId}`)) === 0) {
      const names = await Promise.all(roomId.split(":").map((id) => this.redis.hmget(`user:${id}`, "username")));
      await this.publish("show.room", this.name === "Node" ? JSON.stringify({ id: roomId, names }) : pythonJson({ id: roomId, names }));
    }
    await this.redis.zadd(`room:${roomId}`, stored.score, stored.member);
    await this.publish("message", this.messageData({ from: from.id, text, roomId, date }));
    return stored;
  }

  /**
   * Sends several messages of one second, as the Node app handles them when they arrive together: it stores all of them, and then announces
   * each, in the order of sending.
   * @param between runs after the last message is stored and before the first is announced
   */
  async burst(
    from: Person,
    texts: readonly string[],
    { roomId = "0", date = Math.floor(Date.now() / 1_000) }: { roomId?: string; date?: number } = {},
    between: () => Promise<unknown> = async () => {},
  ): Promise<void> {
    const all = texts.map((text) => ({ from: from.id, text, roomId, date }));
    const storing = this.redis.multi().sadd("online_users", from.id);
    for (const { member, score } of all.map((said) => this.store(said))) storing.zadd(`room:${roomId}`, score, member);
    await storing.exec();
    await between();
    await Promise.all(all.map((said) => this.publish("message", this.messageData(said))));
  }

  /** Returns what the app's page shows of a room when it loads: the stored members, oldest first. */
  async shown(roomId: string): Promise<string[]> {
    return (await this.redis.zrevrange(`room:${roomId}`, 0, 15)).reverse();
  }

  store(said: Said): { member: string; score: number } {
    return messages[this.name](said);
  }

  /** The announced form of a message: the stored form, except in the .NET app, whose stored keys have other letter case. */
  messageData(said: Said): string {
    const { from, text: message, date, roomId } = said;
    return this.name === ".NET" ? JSON.stringify({ from: String(from), date, message, roomId }) : this.store(said).member;
  }

  async publish(type: EventType, data: string): Promise<void> {
    await this.redis.publish("MESSAGES", envelopes[this.name](type, data));
  }
}

/** Formats JSON like Python's json.dumps: spaces after commas and colons, and ASCII only. */
function pythonJson(fields: Record<string, unknown>): string {
  const write = (value: unknown): string =>
    Array.isArray(value) ? `[${value.map(write).join(", ")}]` : escapeCharacters(JSON.stringify(value), /[^ -~]/g);
  return `{${Object.entries(fields)
    .map(([name, value]) => `"${name}": ${write(value)}`)
    .join(", ")}}`;
}

/** Escapes HTML like Flask's `escape`. */
function escapeHtml(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", '"': "&quot;", "'": "&#39;", "<": "&lt;", ">": "&gt;" };
  return text.replace(/[&"'<>]/g, (character) => entities[character] as string);
}

/** Writes these characters of JSON as escapes such as `\u003c`, each half of a surrogate pair separately. */
function escapeCharacters(json: string, characters: RegExp): string {
  return json.replace(characters, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
