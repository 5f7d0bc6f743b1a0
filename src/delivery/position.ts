import { badInput } from "../errors.js";

/**
 * Where a room's events stand: after event `seq` of the log's life `epoch`. A log that is lost and born again gets
 * another epoch, so that a position never seems to fit events it does not know. A room without a log has epoch ""
 * and seq 0: the position before its first event.
 */
export interface Position {
  roomId: string;
  epoch: string;
  seq: number;
}

const FORM = /^(?<epoch>[0-9a-f]*)\.(?<seq>\d{1,15})\.(?<roomId>.+)$/;

/** The opaque string that clients get. */
export function encodePosition({ roomId, epoch, seq }: Position): string {
  return Buffer.from(`${epoch}.${seq}.${roomId}`).toString("base64url");
}

/** @throws ChatError BAD_USER_INPUT that names the argument, for anything that encodePosition did not make */
export function decodePosition(text: string, argument: string): Position {
  const { epoch, seq, roomId } = FORM.exec(Buffer.from(text, "base64url").toString())?.groups ?? {};
  if (epoch === undefined || seq === undefined || roomId === undefined) throw notOurs(argument);
  const position = { roomId, epoch, seq: Number(seq) };
  if (encodePosition(position) !== text) throw notOurs(argument);
  return position;
}

function notOurs(argument: string) {
  return badInput(argument, "must be a `position` as this API gave it.");
}
