import type { Feature } from "../feature.js";
import { GuestSweep } from "./guest-sweep.js";

/** Deletes the data of guests whose sessions have ended. */
export const guests: Feature = {
  name: "guests",
  async serve({ commands, scripts, config, log }, stores) {
    const sweep = new GuestSweep(commands, scripts, stores, config.guestKeep, log);
    return () => sweep.stop();
  },
};
