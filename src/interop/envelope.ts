/** What the demo apps publish on their channel: https://github.com/redis-developer/basic-redis-chat-app-demo-nodejs */

/** What was heard, as far as we make use of it. It is a hint of where to look: whoever can publish can say anything. */
export type Heard =
  /** A message was stored in the room. `score` is where, as far as that is told, `member` as what, and `userId` is its author. */
  | { kind: "message"; roomId: string; score: string | undefined; member: string; userId: string | undefined }
  /** The room has its first message now, or in a moment. */
  | { kind: "room"; roomId: string }
  /** Someone came online or went offline. */
  | { kind: "presence"; userId: string }
  /** The same, of an app that tells no id. */
  | { kind: "presence"; username: string };

type Type = "message" | "show.room" | "user.connected" | "user.disconnected";

const LONGEST = 128 * 1024; // characters; a message of 64 KiB fits, escaped twice

/** The beginning of what servers of Palaver publish, by which they know each other's. */
export const OURS = '{"serverId":"palaver-';

/** @param server the server's name @param data JSON; anything else than such an envelope ends the Node demo's process */
export function writeEnvelope(server: string, type: Type, data: string): string {
  return `${OURS}${server}","type":"${type}","data":${data}}`;
}

/** Reads what a demo app published; undefined for what none of them does. */
export function readEnvelope(text: string): Heard | undefined {
  if (text.length > LONGEST) return undefined;
  const envelope = parse(text);
  const { type = envelope?.Type } = envelope ?? {}; // the .NET demo's fields begin with capitals, and its data is JSON in a string
  const data = envelope?.data ?? (typeof envelope?.Data === "string" ? parseAny(envelope.Data) : undefined);

  if (type === "user.connected" || type === "user.disconnected") {
    if (typeof data === "string") return { kind: "presence", username: data };
    const userId = idOf(isRecord(data) ? (data.id ?? data.Id) : undefined);
    return userId === undefined ? undefined : { kind: "presence", userId };
  }
  if (!isRecord(data)) return undefined;
  if (type === "show.room") return typeof data.id === "string" ? { kind: "room", roomId: data.id } : undefined;
  if (type === "message") {
    const roomId = idOf(data.roomId ?? data.RoomId);
    const score = scoreOf(data.date ?? data.Date);
    return roomId === undefined
      ? undefined
      : { kind: "message", roomId, score, member: rawData(text), userId: idOf(data.from ?? data.From) };
  }
  return undefined;
}

/** Ids are numbers for users who registered in the session in which they do something, else strings. */
function idOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** The data as it was published, which is last in the envelope: the Node, Flask and Java apps store the very same. */
function rawData(text: string): string {
  const [, data = ""] = /"data": ?(\{.*\})\}$/s.exec(text) ?? [];
  return data;
}

/** The date of a message is its score, whatever the app's client took for one. */
function scoreOf(date: unknown): string | undefined {
  if (typeof date !== "number" && typeof date !== "string") return undefined;
  const number = Number(String(date).replace(/^([+-]?)inf(inity)?$/i, "$1Infinity"));
  return Number.isNaN(number) ? undefined : String(number).replace("Infinity", "inf");
}

function parse(text: string): Record<string, unknown> | undefined {
  const value = parseAny(text);
  return isRecord(value) ? value : undefined;
}

function parseAny(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
