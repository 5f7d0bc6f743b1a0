import { integer, setting, type ValuesOf } from "../config/setting.js";

/** The settings of this part. */
export const settings = {
  roomLogLength: setting({
    env: ["ROOM_LOG_LENGTH"],
    placeholder: "N",
    parse: integer(100, 1_000_000),
    fallback: 10_000,
    help: "events kept per room, so that subscribers can resume",
  }),
};

declare module "../config/config.js" {
  interface Config extends ValuesOf<typeof settings> {}
}
