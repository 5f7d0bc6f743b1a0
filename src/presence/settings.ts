import { integer, setting, type ValuesOf } from "../config/setting.js";

/** The settings of this part. */
export const settings = {
  presenceLease: setting({
    env: ["PRESENCE_LEASE"],
    placeholder: "SECONDS",
    parse: integer(2, 300),
    fallback: 10,
    help: "time until the users of a server that died are shown as offline",
  }),
  presenceGrace: setting({
    env: ["PRESENCE_GRACE"],
    placeholder: "SECONDS",
    parse: integer(0, 300),
    fallback: 5, // enough for a page to reload
    help: "how long a user may be without a connection before they are shown as offline",
  }),
};

declare module "../config/config.js" {
  interface Config extends ValuesOf<typeof settings> {}
}
