import type { Feature } from "../feature.js";
import { Attempts } from "./attempts.js";
import { Passwords } from "./password.js";
import { SessionResolver } from "./session.resolver.js";
import { SessionStore } from "./session.store.js";
import { SessionWatches } from "./session-watch.js";
import { settings } from "./settings.js";

declare module "../api/context.js" {
  interface Stores {
    passwords: Passwords;
    attempts: Attempts;
    sessions: SessionStore;
    watches: SessionWatches;
  }
}

/** Logins, sign-ups and guests' sessions. */
export const sessions: Feature = {
  name: "sessions",
  settings,
  lua: new URL("./lua/", import.meta.url),
  stores({ commands, scripts, channels, health, config, log }, { users, guests }) {
    const passwords = new Passwords(config.bcryptCost);
    const attempts = new Attempts(commands, config.rateLimits);
    const sessions = new SessionStore(scripts, { users, guests }, passwords, attempts, config);
    return { passwords, attempts, sessions, watches: new SessionWatches(sessions, channels, () => health.up, log) };
  },
  resolvers: [SessionResolver],
  doorkeeper: ({ sessions, watches }) => ({
    viewer: (token) => sessions.viewer(token),
    watch: (viewer, onEnd, isInUse) => watches.start(viewer, onEnd, isInUse),
  }),
  async close({ watches }) {
    watches.close();
  },
};
