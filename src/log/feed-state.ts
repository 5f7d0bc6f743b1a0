import { follows, isKnown, type Place } from "./entry.js";

/** How far a room's feed has passed on the room's events. */
export type FeedState =
  /** It waits for the subscription to the channel and for the end of the log. `missed`: events may have arrived before that was read. */
  | { name: "opening"; missed: boolean }
  /** All events up to the place have been passed on, and the next one is expected on the channel. */
  | { name: "following"; place: Place }
  /** The same, and the log is being read from the place. `missed`: events may have been added after this read. */
  | { name: "reading"; place: Place; missed: boolean }
  /** It has no subscriber, and passes on nothing any more. */
  | { name: "closed" };

/** What can happen to a feed. */
export interface FeedInputs {
  /** The subscription is confirmed, and this was the end of the log after that. */
  opened: { end: Place };
  /** An event arrived on the channel. */
  heard: { position: Place };
  /** The channel may have lost events. */
  gap: Record<never, never>;
  /** The log was read from the place: `next` are the events directly after it, undefined if the place cannot be resumed. */
  read: { next: readonly { position: Place }[] | undefined; end: Place };
  /** The log cannot be read. */
  failed: Record<never, never>;
  /** The last subscriber is gone. */
  close: Record<never, never>;
}

/** What has to be done about a feed. */
export type FeedEffect =
  /** Pass on the events of the input. */
  | { do: "pass" }
  /** Read the log from here. */
  | { do: "read"; from: number }
  /** End all subscribers at the place: the events after it are lost. */
  | { do: "reset" }
  /** End the subscription to the channel. */
  | { do: "unsubscribe" };

export interface FeedStep {
  state: FeedState;
  effects: readonly FeedEffect[];
}

/** What each state does with each input. The compiler checks that none is missing. */
const feedTransitions: {
  readonly [Name in FeedState["name"]]: {
    readonly [Input in keyof FeedInputs]: (state: Extract<FeedState, { name: Name }>, input: FeedInputs[Input]) => FeedStep;
  };
} = {
  opening: {
    opened: ({ missed }, { end }) => (missed ? read(end) : to({ name: "following", place: end })),
    heard: () => to({ name: "opening", missed: true }),
    gap: () => to({ name: "opening", missed: true }),
    close,
    read: stay,
    failed: stay,
  },

  following: {
    heard: (state, { position }) => {
      if (follows(position, state.place)) return to({ name: "following", place: position }, { do: "pass" });
      return isKnown(position, state.place) ? stay(state) : read(state.place);
    },
    gap: ({ place }) => read(place),
    close,
    opened: stay,
    read: stay,
    failed: stay,
  },

  reading: {
    // The read may have happened before this event, so it has to be repeated.
    heard: (state) => to({ ...state, missed: true }),
    gap: (state) => to({ ...state, missed: true }),
    read: ({ place, missed }, { next, end }) => {
      const reached = next ? (next.at(-1)?.position ?? place) : end;
      const effect: FeedEffect = next ? { do: "pass" } : { do: "reset" };
      if (!missed && reached.seq >= end.seq) return to({ name: "following", place: reached }, effect);
      const { state, effects } = read(reached);
      return to(state, effect, ...effects);
    },
    failed: ({ place }) => to({ name: "following", place }),
    close,
    opened: stay,
  },

  closed: { opened: stay, heard: stay, gap: stay, read: stay, failed: stay, close: stay },
};

/** The feed after an input, and what has to be done, in order. Pure. */
export function feedAfter<Input extends keyof FeedInputs>(state: FeedState, name: Input, input: FeedInputs[Input]): FeedStep {
  const transition = feedTransitions[state.name][name] as (state: FeedState, input: FeedInputs[Input]) => FeedStep;
  return transition(state, input);
}

/** Where a subscriber to the feed is. */
export type SubscriberState =
  /** Waiting for the feed to open. */
  | "joining"
  /** At an older place than the feed, and without any event so far. */
  | "waiting"
  /** At an older place than the feed, and on the way to it. */
  | "replaying"
  /** At the feed's place. */
  | "live"
  /** It gets nothing any more. */
  | "over";

/** What can happen to a subscriber. */
export type SubscriberInput =
  /** The feed is open, at another place than the subscriber. */
  | "behind"
  /** The feed is open, at the subscriber's place, or the subscriber has got all past events. */
  | "caughtUp"
  /** It has got past events, and there are more. */
  | "advanced"
  /** It cannot get further events. */
  | "lost"
  /** It wants no further events. */
  | "stop";

const subscriberTransitions: Readonly<Record<SubscriberState, Readonly<Record<SubscriberInput, SubscriberState>>>> = {
  joining: { behind: "waiting", caughtUp: "live", advanced: "joining", lost: "over", stop: "over" },
  waiting: { behind: "waiting", caughtUp: "live", advanced: "replaying", lost: "over", stop: "over" },
  replaying: { behind: "replaying", caughtUp: "live", advanced: "replaying", lost: "over", stop: "over" },
  live: { behind: "live", caughtUp: "live", advanced: "live", lost: "over", stop: "over" },
  over: { behind: "over", caughtUp: "over", advanced: "over", lost: "over", stop: "over" },
};

/** The subscriber after an input. */
export const subscriberAfter = (state: SubscriberState, input: SubscriberInput): SubscriberState => subscriberTransitions[state][input];

function to(state: FeedState, ...effects: FeedEffect[]): FeedStep {
  return { state, effects };
}

function stay(state: FeedState): FeedStep {
  return { state, effects: [] };
}

function read(place: Place): FeedStep {
  return to({ name: "reading", place, missed: false }, { do: "read", from: place.seq });
}

function close(): FeedStep {
  return to({ name: "closed" }, { do: "unsubscribe" });
}
