import { badInput } from "../errors.js";

/**
 * Where a room's events stand: after event `seq` of the log's life `epoch`. A log that is lost and born again gets
 * another epoch. A log that lost only its end, as when Redis dies before its last writes reach the disk, gives the
 * same numbers out again: then `at`, the event's time, tells the one from the other. So a position never seems to fit
 * events it does not know.
 */
export interface Position {
  roomId: string;
  epoch: string;
  seq: number;
  /** Microseconds since 1970, by Redis's clock; 0 before the first event. */
  at: number;
}

/** Before the first event of a room, whichever its epoch will be: where a room without a log stands. */
export const BEGINNING = { epoch: "", seq: 0, at: 0 } as const;

const LONGEST = 256; // characters: an epoch has at most 32, and a room's id 141

const FORM = /^(?<epoch>[0-9a-f]*)\.(?<seq>\d{1,15})\.(?<at>\d{1,16})\.(?<roomId>.+)$/;

/** The opaque string that clients get. */
export function encodePosition({ roomId, epoch, seq, at }: Position): string {
  return Buffer.from(`${epoch}.${seq}.${at}.${roomId}`).toString("base64url");
}

/** @throws ChatError BAD_USER_INPUT that names the argument, for anything that encodePosition did not make */
export function decodePosition(text: string, argument: string): Position {
  if (text.length > LONGEST) throw notOurs(argument);
  const { epoch, seq, at, roomId } = FORM.exec(Buffer.from(text, "base64url").toString())?.groups ?? {};
  if (epoch === undefined || seq === undefined || at === undefined || roomId === undefined) throw notOurs(argument);
  const position = { roomId, epoch, seq: Number(seq), at: Number(at) };
  if (encodePosition(position) !== text) throw notOurs(argument);
  return position;
}

function notOurs(argument: string) {
  return badInput(argument, "must be a `position` as this API gave it.");
}
