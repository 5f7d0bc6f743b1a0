import { isSamePlace } from "./entry.js";
import type { Position } from "./position.js";

/** Where the subscriber of a feed is in a room. */
interface Progress {
  /** After the last event that the subscriber took. */
  taken: Position;
  /** After the last event that was pushed. The subscriber may not have taken it yet. */
  told: Position;
  /** Where the viewer joined the room, as far as known, oldest first. */
  entrances: readonly Position[];
  /** The events with which the viewer left it, oldest first. */
  leavings: readonly Position[];
}

/** A room in a feed. */
export type RoomState =
  /** The position from which to follow it is being determined. */
  | { name: "opening"; entrances: readonly Position[] }
  /** Its events arrive and are pushed, unless the viewer is `out` of the room. */
  | ({ name: "following"; out: boolean } & Progress)
  /** The feed is suspended. The room is still followed, as there is nothing to replay so far. */
  | ({ name: "resting"; out: boolean } & Progress)
  /** The feed is suspended. The room is followed again, from what the subscriber has taken, when the feed is resumed. */
  | ({ name: "halted" } & Progress)
  /** The viewer has left the room and is not known to have joined again. It is not followed. */
  | ({ name: "away" } & Progress);

/** What can happen to a room. */
export interface RoomInputs {
  /** The position from which to follow it is known. */
  located: { position: Position; suspended: boolean };
  /**
   * An event arrived. `selected`: it is for the subscriber. `enters` and `leaves`: the viewer joined or left with it.
   * The event with which the viewer left is followed by the input `left`.
   */
  event: { position: Position; selected: boolean; enters: boolean; leaves: boolean };
  /** The event with which the viewer left has been pushed, if it is for the subscriber. */
  left: { position: Position };
  /** The subscriber has taken everything up to here. */
  taken: { position: Position };
  /** The viewer is known to have joined here. */
  entered: { entrance: Position; suspended: boolean };
  /** The subscriber cannot take events; what it has not taken has been dropped. `followed`: following the room has begun. */
  suspend: { followed: boolean };
  /** It can again. */
  resume: Record<never, never>;
}

/** What has to be done about a room. */
export type RoomEffect =
  | { do: "follow"; from: Position }
  /** Stop following it. */
  | { do: "stop" }
  /** Push the event that arrived. */
  | { do: "push" }
  /** Tell that the viewer has left. */
  | { do: "leave" }
  /** Remove it from the feed. */
  | { do: "forget" };

export interface RoomStep {
  state: RoomState;
  effects: readonly RoomEffect[];
}

type Named<Name extends RoomState["name"]> = Extract<RoomState, { name: Name }>;

/** What each state does with each input. The compiler checks that none is missing. */
const transitions: {
  readonly [Name in RoomState["name"]]: {
    readonly [Input in keyof RoomInputs]: (state: Named<Name>, input: RoomInputs[Input]) => RoomStep;
  };
} = {
  opening: {
    located: ({ entrances }, { position, suspended }) => {
      const progress: Progress = { taken: position, told: position, entrances, leavings: [] };
      if (suspended) return to({ name: "halted", ...progress });
      return to({ name: "following", out: false, ...progress }, { do: "follow", from: position });
    },
    entered: (state, { entrance }) => to(withEntrance(state, entrance)),
    event: stay,
    left: stay,
    taken: stay,
    suspend: stay,
    resume: stay,
  },

  following: {
    event: (state, { position, selected, enters }) => {
      const out = state.out && !enters;
      if (out) return to({ ...state, out });
      if (selected) return to({ ...state, out, told: position }, { do: "push" });
      // Nothing to take: so that it is not replayed.
      return to(hasAll(state) ? { ...state, out, taken: position, told: position } : { ...state, out });
    },
    left: (state, { position }) => leave(state, position),
    taken: (state, { position }) => to({ ...state, taken: position }),
    entered: (state, { entrance }) => to(withEntrance(state, entrance)),
    suspend: (state, { followed }) => (followed && hasAll(state) ? to({ ...state, name: "resting" }) : to(halted(state), { do: "stop" })),
    located: stay,
    resume: stay,
  },

  resting: {
    event: (state, { position, selected, enters, leaves }) => {
      const isNothing = (state.out || !selected) && !enters && !leaves;
      return isNothing ? to({ ...state, taken: position, told: position }) : to(halted(state), { do: "stop" });
    },
    // The event was taken, and then used up what the subscriber could take.
    left: (state, { position }) => leave(state, position),
    taken: (state, { position }) => to({ ...state, taken: position }),
    entered: (state, { entrance }) => to(withEntrance(state, entrance)),
    resume: (state) => to({ ...state, name: "following" }),
    located: stay,
    suspend: stay,
  },

  halted: {
    resume: replay,
    entered: (state, { entrance }) => to(withEntrance(state, entrance)),
    event: stay, // pushed when it is replayed
    left: stay, // likewise
    taken: (state, { position }) => to({ ...state, taken: position }),
    located: stay,
    suspend: stay,
  },

  away: {
    entered: (state, { entrance, suspended }) => {
      const known = withEntrance(state, entrance);
      const from = entranceAfterLeaving(known);
      if (!from) return to(known);
      // What was pushed before may not be taken yet; otherwise the subscriber continues from here.
      const progress: Progress = hasAll(known) ? { ...known, taken: from, told: from, leavings: [] } : known;
      if (suspended) return to(halted(progress));
      return to({ ...progress, name: "following", out: false }, { do: "follow", from });
    },
    taken: (state, { position }) => to({ ...state, taken: position }),
    resume: (state) => (hasAll(state) ? to(state, { do: "forget" }) : replay(state)),
    event: stay,
    left: stay,
    located: stay,
    suspend: stay,
  },
};

/** The room after an input, and what has to be done. Pure. */
export function roomAfter<Input extends keyof RoomInputs>(state: RoomState, name: Input, input: RoomInputs[Input]): RoomStep {
  const transition = transitions[state.name][name] as (state: RoomState, input: RoomInputs[Input]) => RoomStep;
  return transition(state, input);
}

/** Whether the subscriber has taken everything that was pushed. */
const hasAll = ({ told, taken }: Progress) => isSamePlace(taken, told);

function to(state: RoomState, ...effects: RoomEffect[]): RoomStep {
  return { state, effects };
}

function stay(state: RoomState): RoomStep {
  return { state, effects: [] };
}

function halted({ taken, told, entrances, leavings }: Progress): Named<"halted"> {
  return { name: "halted", taken, told, entrances, leavings };
}

/** Follows the room from what the subscriber has taken: later events are pushed again. */
function replay({ taken, entrances, leavings }: Progress): RoomStep {
  const out = leavings.some((leaving) => isSamePlace(leaving, taken));
  return to({ name: "following", out, taken, told: taken, entrances, leavings }, { do: "follow", from: taken });
}

/** The viewer has left with an event. A later event tells if they are known to have joined again. */
function leave(state: Named<"following"> | Named<"resting">, position: Position): RoomStep {
  const { taken, told, entrances } = state;
  const progress: Progress = { taken, told, entrances, leavings: [...state.leavings, position] };
  if (entranceAfterLeaving(progress)) return to({ ...progress, name: state.name, out: true });
  return to({ ...progress, name: "away" }, { do: "stop" }, { do: "leave" });
}

function withEntrance<State extends { entrances: readonly Position[] }>(state: State, entrance: Position): State {
  if (state.entrances.some((other) => isSamePlace(other, entrance))) return state;
  return { ...state, entrances: [...state.entrances, entrance] };
}

/** Where the viewer first joined after leaving last; undefined if not known to have joined again. */
function entranceAfterLeaving({ leavings, entrances }: Progress): Position | undefined {
  const left = leavings.at(-1);
  return left && entrances.find(({ epoch, seq }) => epoch === left.epoch && seq >= left.seq);
}
