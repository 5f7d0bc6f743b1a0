import { isRoomId } from "../api/ids.js";
import { badInput } from "../util/errors.js";
import type { RoomId } from "../util/ids.js";

/** A parsed message id: the room, and the message's place in it. */
export interface MessageId {
  id: string;
  roomId: RoomId;
  /** The message's score in the room's sorted set. */
  score: string;
  /** When it was sent, in microseconds; undefined for a demo app's message. */
  micros: number | undefined;
}

/** `<room>/<microseconds>` for Palaver's messages, `<room>/<score>-<digest>` for those of demo apps. */
const FORM =
  /^(?<roomId>[\w:-]{1,64})\/(?:(?<micros>\d{1,16})|(?<score>-?(?:inf|\d{1,30}(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?))-[0-9a-f]{16})$/;

/** Parses an id; undefined if the text does not have the form of this API's message ids. */
export function parseMessageId(id: string): MessageId | undefined {
  const { roomId, micros, score } = FORM.exec(id)?.groups ?? {};
  if (roomId === undefined || !isRoomId(roomId)) return undefined;
  return score === undefined
    ? { id, roomId, score: scoreOf(micros as string), micros: Number(micros) }
    : { id, roomId, score, micros: undefined };
}

/** @throws ChatError BAD_USER_INPUT that names the argument */
export function readMessageId(id: string, argument: string): MessageId {
  const read = parseMessageId(id);
  if (!read) throw badInput(argument, "must be a message id that this API returned.");
  return read;
}

function scoreOf(micros: string): string {
  const digits = micros.padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
