import { badInput } from "../errors.js";

/** A message's id, and where in which room it names one. */
export interface MessageId {
  id: string;
  roomId: string;
  /** At which the message is in the room's sorted set. */
  score: string;
  /** When it was sent, in microseconds; undefined for what a demo app wrote. */
  micros: number | undefined;
}

/** `<room>/<microseconds>` for what Palaver wrote, `<room>/<score>-<digest>` for what a demo app wrote. */
const FORM =
  /^(?<roomId>[\w:-]{1,64})\/(?:(?<micros>\d{1,16})|(?<score>-?(?:inf|\d{1,30}(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?))-[0-9a-f]{16})$/;

/** Reads an id; undefined for what this API never gave as one. */
export function parseMessageId(id: string): MessageId | undefined {
  const { roomId, micros, score } = FORM.exec(id)?.groups ?? {};
  if (roomId === undefined) return undefined;
  return score === undefined
    ? { id, roomId, score: scoreOf(micros as string), micros: Number(micros) }
    : { id, roomId, score, micros: undefined };
}

/** @throws ChatError BAD_USER_INPUT that names the argument */
export function readMessageId(id: string, argument: string): MessageId {
  const read = parseMessageId(id);
  if (!read) throw badInput(argument, "must be the id of a message, as this API gave it.");
  return read;
}

function scoreOf(micros: string): string {
  const digits = micros.padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
}
