import { integer, setting, type ValuesOf } from "../config/setting.js";

/** The settings of this part. */
export const settings = {
  sessionTtl: setting({
    env: ["SESSION_TTL"],
    placeholder: "SECONDS",
    parse: integer(60, 31_536_000), // a minute to a year
    fallback: 86_400, // a day
    help: "how long a login lasts after it was last used",
  }),
  sessionLifetime: setting({
    env: ["SESSION_LIFETIME"],
    placeholder: "SECONDS",
    parse: integer(60, 315_360_000), // a minute to ten years
    fallback: 7_776_000, // 90 days
    help: "maximum lifetime of a login or a guest's session, even if it is in use; then the user has to sign in again",
  }),
  bcryptCost: setting({
    env: ["BCRYPT_COST"],
    placeholder: "N",
    parse: integer(4, 15), // bcrypt's minimum is 4; 15 takes about 2 s per password
    fallback: 10, // about 65 ms per password; the demo apps use 10 too
    help: "bcrypt cost of a password hash; each step doubles the time",
  }),
};

declare module "../config/config.js" {
  interface Config extends ValuesOf<typeof settings> {}
}
