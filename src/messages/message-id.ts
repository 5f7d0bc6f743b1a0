/** Where a message lies, by its id: in its room, at a score. */
export interface MessagePlace {
  roomId: string;
  score: string;
}

const OURS = /^(?<roomId>[\w:-]{1,64})\/(?<seconds>\d{1,10})(?<micros>\d{6})$/;
const FOREIGN = /^(?<roomId>[\w:-]{1,64})\/(?<score>-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|inf))-[0-9a-f]{16}$/;

/** The place that a message's id says; undefined for what is no id of a message. */
export function placeOf(id: string): MessagePlace | undefined {
  const { roomId, seconds, micros } = OURS.exec(id)?.groups ?? {};
  if (roomId !== undefined) return { roomId, score: `${seconds}.${micros}` };
  const foreign = FOREIGN.exec(id)?.groups;
  return foreign && { roomId: foreign.roomId as string, score: foreign.score as string };
}
