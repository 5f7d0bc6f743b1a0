import { oneOf, onOff, setting, type ValuesOf } from "../config/setting.js";
import { isEmbedded } from "../redis/settings.js";

/** The settings of this part. */
export const settings = {
  demoData: setting<boolean>({
    env: ["DEMO_DATA"],
    placeholder: "on|off",
    parse: onOff,
    fallback: false,
    derive: isEmbedded,
    fallbackSaid: "on with the embedded Redis, else off",
    help: "fill an empty database with four accounts and some messages",
  }),
  interop: setting<"off" | "public" | "full">({
    env: ["INTEROP"],
    placeholder: "off|public|full",
    parse: oneOf("off", "public", "full"),
    fallback: "public",
    help: "what Palaver publishes live to the demo apps: nothing; public events only; or private messages too, which the demo apps show to everyone",
  }),
};

declare module "../config/config.js" {
  interface Config extends ValuesOf<typeof settings> {}
}
