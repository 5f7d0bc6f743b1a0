import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Position } from "../../src/log/position.js";
import { type RoomInputs, type RoomState, roomAfter } from "../../src/log/room-state.js";
import { room } from "../helpers/ids.js";

const at = (seq: number): Position => ({ roomId: room("r"), epoch: "e", seq, at: seq });

/** An event of the room: ordinary, one with which the viewer leaves or enters, or one that is not for the subscriber. */
type Kind = "say" | "skip" | "out" | "in";

/**
 * A room with its log and one subscriber, driven by `roomAfter`. Following is immediate: all events from a position on are delivered, then
 * live ones. The subscriber takes an event at once, or later, or is suspended by it.
 */
class World {
  readonly log: Kind[] = [];
  state: RoomState = { name: "opening", entrances: [] };
  readonly got: number[] = [];
  queue: number[] = [];
  followed = false;
  suspended = false;
  forgotten = false;
  readonly expected: number[] = [];
  isIn = true;

  begin(): void {
    this.put("located", { position: at(0), suspended: false });
  }

  happen(kind: Kind): void {
    if ((kind === "in") === this.isIn) return; // the viewer leaves and enters in turn
    if (kind === "out" && !this.isIn) return;
    this.log.push(kind);
    const seq = this.log.length;
    if (kind === "in") this.isIn = true;
    if (this.isIn && kind !== "skip") this.expected.push(seq);
    if (kind === "out") this.isIn = false;
    if (this.followed) this.deliver(seq);
    // The feed learns on another way that the viewer has joined, and adds the room again if it has forgotten it.
    if (kind === "in") this.enter(at(seq - 1));
  }

  enter(entrance: Position): void {
    if (this.forgotten) {
      this.forgotten = false;
      this.state = { name: "opening", entrances: [entrance] };
      this.put("located", { position: entrance, suspended: this.suspended });
    } else this.put("entered", { entrance, suspended: this.suspended });
  }

  deliver(seq: number): void {
    const kind = this.log[seq - 1] as Kind;
    const [enters, leaves] = [kind === "in", kind === "out"];
    const wasOut = "out" in this.state && this.state.out && !enters;
    this.put("event", { position: at(seq), selected: kind !== "skip", enters, leaves }, seq);
    if (leaves && !wasOut) this.put("left", { position: at(seq) });
  }

  take(): void {
    const seq = this.queue.shift();
    if (seq === undefined || this.suspended) return;
    this.got.push(seq);
    this.put("taken", { position: at(seq) });
  }

  suspend(): void {
    if (this.suspended) return;
    this.suspended = true;
    this.queue = [];
    this.put("suspend", { followed: this.followed });
  }

  resume(): void {
    if (!this.suspended) return;
    this.suspended = false;
    this.put("resume", {});
  }

  put<Input extends keyof RoomInputs>(name: Input, input: RoomInputs[Input], event?: number): void {
    const { state, effects } = roomAfter(this.state, name, input);
    this.state = state;
    for (const effect of effects) {
      if (effect.do === "stop") this.followed = false;
      else if (effect.do === "forget") this.forgotten = true;
      else if (effect.do === "push") this.queue.push(event as number);
      else if (effect.do === "follow") {
        expect(this.followed).toBe(false);
        this.followed = true;
        for (let seq = effect.from.seq + 1; seq <= this.log.length && this.followed; seq++) this.deliver(seq);
      }
    }
  }

  /** Lets the subscriber take everything. */
  settle(): void {
    for (let n = 0; n < 3; n++) {
      this.resume();
      while (this.queue.length > 0) this.take();
      this.suspend();
    }
    this.resume();
    while (this.queue.length > 0) this.take();
  }
}

const deeds = fc.oneof(
  { weight: 4, arbitrary: fc.constant<(world: World) => void>((world) => world.happen("say")) },
  { weight: 2, arbitrary: fc.constant<(world: World) => void>((world) => world.happen("skip")) },
  { weight: 2, arbitrary: fc.constant<(world: World) => void>((world) => world.happen("out")) },
  { weight: 2, arbitrary: fc.constant<(world: World) => void>((world) => world.happen("in")) },
  { weight: 4, arbitrary: fc.constant<(world: World) => void>((world) => world.take()) },
  { weight: 2, arbitrary: fc.constant<(world: World) => void>((world) => world.suspend()) },
  { weight: 2, arbitrary: fc.constant<(world: World) => void>((world) => world.resume()) },
);

describe("a room in a feed", () => {
  it("[D5] delivers what happens while the viewer is in the room once, in order, whatever happens when", () => {
    fc.assert(
      fc.property(fc.array(deeds, { maxLength: 60 }), (all) => {
        const world = new World();
        world.begin();
        for (const deed of all) deed(world);
        world.settle();
        expect(world.got).toEqual(world.expected);
        expect(world.followed).toBe(world.isIn);
      }),
      { numRuns: 3_000 },
    );
  });

  it("[D5] is followed again only from what the subscriber has taken", () => {
    fc.assert(
      fc.property(fc.array(deeds, { maxLength: 60 }), (all) => {
        const world = new World();
        world.begin();
        for (const deed of all) {
          deed(world);
          expect(world.got).toEqual(world.expected.slice(0, world.got.length));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
