import { setImmediate } from "node:timers/promises";
import type { FollowedRooms } from "../../src/log/followed-rooms.js";
import type { Position } from "../../src/log/position.js";
import { room } from "./ids.js";

/** An event of a fake room. */
export interface FakeEvent {
  text: string;
}

/** A fake room with a log and live subscribers. */
export function fakeRoom(roomId = room("r")) {
  const log: { value: FakeEvent; position: Position }[] = [];
  let told = 0;
  const live = new Set<(value: FakeEvent, position: Position) => void>();
  const position = (): Position => ({ roomId, epoch: "e", seq: log.length, at: log.length });
  const followed = {
    position: async () => position(),
    follow(_roomId: string, after: Position, { event }: { event: (value: FakeEvent, position: Position) => void }) {
      let over = false;
      const tell = (value: FakeEvent, at: Position) => {
        if (over) return;
        told++;
        event(value, at);
      };
      const started = (async () => {
        await setImmediate();
        for (const { value, position } of log.slice(after.seq)) tell(value, position);
        if (!over) live.add(tell);
      })();
      const stop = () => {
        over = true;
        live.delete(tell);
      };
      return { started, stop };
    },
  } as unknown as FollowedRooms<FakeEvent>;
  const happen = (text: string) => {
    const value = { text };
    const entry = { value, position: { ...position(), seq: log.length + 1, at: log.length + 1 } };
    log.push(entry);
    for (const tell of [...live]) tell(value, entry.position);
    return value;
  };
  return {
    followed,
    happen,
    position,
    live,
    /** How many events subscribers got so far. */
    get told() {
      return told;
    },
  };
}
