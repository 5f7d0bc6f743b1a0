import type { RoomId, UserId } from "../util/ids.js";

/** What the demo apps publish on their channel: https://github.com/redis-developer/basic-redis-chat-app-demo-nodejs */

/** An announcement, reduced to what is used of it. It is only a hint: any client of this Redis can publish anything. */
export type Heard =
  /** A message was stored in the room: `score` is its score, if announced, `member` the stored text, and `userId` the author. */
  | { kind: "message"; roomId: RoomId; score: string | undefined; member: string; userId: UserId | undefined }
  /** The room has its first message, or is about to get it. */
  | { kind: "room"; roomId: RoomId }
  /** A user came online or went offline. */
  | { kind: "presence"; userId: UserId }
  /** The same, from an app that announces no id. */
  | { kind: "presence"; username: string };

type Type = "message" | "show.room" | "user.connected" | "user.disconnected";

const LONGEST = 128 * 1024; // characters; a message of 64 KiB fits, escaped twice

/** The beginning of every announcement of a Palaver server, by which other servers recognize it. */
export const OURS = '{"serverId":"palaver-';

/** @param server the server's name @param data JSON; anything but such an envelope crashes the Node demo app */
export function writeEnvelope(server: string, type: Type, data: string): string {
  return `${OURS}${server}","type":"${type}","data":${data}}`;
}

/** Parses an announcement of a demo app; undefined for a text that no demo app publishes. */
export function readEnvelope(text: string): Heard | undefined {
  if (text.length > LONGEST) return undefined;
  const envelope = parse(text);
  const { type = envelope?.Type } = envelope ?? {}; // the .NET demo's fields begin with capitals, and its data is JSON in a string
  const data = envelope?.data ?? (typeof envelope?.Data === "string" ? parseAny(envelope.Data) : undefined);

  if (type === "user.connected" || type === "user.disconnected") {
    if (typeof data === "string") return { kind: "presence", username: data };
    const userId = idOf(isRecord(data) ? (data.id ?? data.Id) : undefined);
    return userId === undefined ? undefined : { kind: "presence", userId: userId as UserId };
  }
  if (!isRecord(data)) return undefined;
  if (type === "show.room") return typeof data.id === "string" ? { kind: "room", roomId: data.id as RoomId } : undefined;
  if (type === "message") {
    const roomId = idOf(data.roomId ?? data.RoomId);
    const score = scoreOf(data.date ?? data.Date);
    return roomId === undefined
      ? undefined
      : {
          kind: "message",
          roomId: roomId as RoomId,
          score,
          member: rawData(text),
          userId: idOf(data.from ?? data.From) as UserId | undefined,
        };
  }
  return undefined;
}

/** Ids are numbers for users who registered in the session in which they act, else strings. */
function idOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** The data as published, which is last in the envelope: the Node, Flask and Java apps store exactly this text. */
function rawData(text: string): string {
  const [, data = ""] = /"data": ?(\{.*\})\}$/s.exec(text) ?? [];
  return data;
}

/** A message's date is its score, in any form in which the app's client sends it. */
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
