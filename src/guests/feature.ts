import type { Feature } from "../feature.js";
import { GuestSweep } from "./guest-sweep.js";

/** Deletes the data of guests whose sessions have ended. */
export const guests: Feature = {
  name: "guests",
  lua: new URL("./lua/", import.meta.url),
  async serve({ commands, scripts, keysOfRoom, config, log }, stores) {
    const sweep = new GuestSweep(commands, scripts, stores, keysOfRoom, config.guestKeep, log);
    return () => sweep.stop();
  },
};
