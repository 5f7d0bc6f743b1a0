import { badInput } from "../util/errors.js";
import type { RoomId } from "../util/ids.js";

/**
 * A position in a room's events: after event `seq` of the log with this `epoch`. A log that is lost and created again has another epoch. A
 * log that lost only its end, as when Redis dies before its last writes reach the disk, assigns the same numbers again; the event's time
 * `at` then distinguishes the events. So a position never seems to fit events that were written after a loss.
 */
export interface Position {
  roomId: RoomId;
  epoch: string;
  seq: number;
  /** Microseconds since 1970, by Redis's clock; 0 before the first event. */
  at: number;
}

/** Before the first event of a room, whatever its epoch will be: the position of a room without a log. */
export const BEGINNING = { epoch: "", seq: 0, at: 0 } as const;

const LONGEST = 256; // characters: an epoch has at most 32, and a room id 141

const FORM = /^(?<epoch>[0-9a-f]*)\.(?<seq>\d{1,15})\.(?<at>\d{1,16})\.(?<roomId>.+)$/;

/** The position as an opaque string for clients. */
export function encodePosition({ roomId, epoch, seq, at }: Position): string {
  return Buffer.from(`${epoch}.${seq}.${at}.${roomId}`).toString("base64url");
}

/** @throws ChatError BAD_USER_INPUT that names the argument, for any string that encodePosition did not return */
export function decodePosition(text: string, argument: string): Position {
  if (text.length > LONGEST) throw notOurs(argument);
  const { epoch, seq, at, roomId } = FORM.exec(Buffer.from(text, "base64url").toString())?.groups ?? {};
  if (epoch === undefined || seq === undefined || at === undefined || roomId === undefined) throw notOurs(argument);
  const position = { roomId: roomId as RoomId, epoch, seq: Number(seq), at: Number(at) };
  if (encodePosition(position) !== text) throw notOurs(argument);
  return position;
}

function notOurs(argument: string) {
  return badInput(argument, "must be a `position` that this API returned.");
}
