import { integer, setting, type ValuesOf } from "../config/setting.js";

/** The settings of this part. */
export const settings = {
  guestTtl: setting({
    env: ["GUEST_TTL"],
    placeholder: "SECONDS",
    parse: integer(60, 604_800), // a minute to a week
    fallback: 3_600, // an hour
    help: "how long a guest's session lasts after it was last used",
  }),
  guestKeep: setting({
    env: ["GUEST_KEEP"],
    placeholder: "SECONDS",
    parse: integer(0, 31_536_000), // up to a year
    fallback: 86_400, // a day
    help: "time from the end of a guest's last session until their private rooms and data are deleted; 0 deletes them at once",
  }),
  sendsPerSecond: setting({
    env: ["SENDS_PER_SECOND"],
    placeholder: "N",
    parse: integer(1, 1_000),
    fallback: 5,
    help: "messages that one user may send per second on average, across all servers",
  }),
  sendBurst: setting({
    env: ["SEND_BURST"],
    placeholder: "N",
    parse: integer(1, 10_000),
    fallback: 50,
    help: "messages that one user may send at once after a pause",
  }),
};

declare module "../config/config.js" {
  interface Config extends ValuesOf<typeof settings> {}
}
