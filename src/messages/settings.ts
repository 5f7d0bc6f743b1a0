import { integer, setting, type ValuesOf } from "../config/setting.js";

/** The settings of this part. */
export const settings = {
  ackReplicas: setting({
    env: ["ACK_REPLICAS"],
    placeholder: "N",
    parse: integer(0, 10),
    fallback: 0,
    help: "replicas that must have a message before the server answers its send, so that a failover does not lose it; 0 waits for none",
  }),
  messageLength: setting({
    env: ["MESSAGE_LENGTH"],
    placeholder: "N",
    parse: integer(1, 10_000), // a request body is at most 64 KiB
    fallback: 4_000,
    help: "maximum length of a message, in characters (Unicode code points)",
  }),
  historyLimit: setting({
    env: ["HISTORY_LIMIT"],
    placeholder: "N",
    parse: integer(0, 100_000_000),
    fallback: 0,
    help: "messages kept per room; new messages replace the oldest; 0 for no limit",
  }),
  historyDays: setting({
    env: ["HISTORY_DAYS"],
    placeholder: "N",
    parse: integer(0, 36_500), // a century
    fallback: 0,
    help: "days that messages are kept; 0 for no limit",
  }),
};

declare module "../config/config.js" {
  interface Config extends ValuesOf<typeof settings> {}
}
