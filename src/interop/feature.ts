import { ConsumerSweep } from "../consumers/sweep.js";
import type { Feature } from "../feature.js";
import { DEMOS, DemoBridge } from "./bridge.js";
import { DemoAccountsResolver } from "./demo-accounts.resolver.js";
import { DEMO_PASSWORD, DemoAccounts, seedDemoData } from "./demo-data.js";
import { DemoListener } from "./listener.js";
import { settings } from "./settings.js";
import { unannounced } from "./unannounced.js";

declare module "../api/context.js" {
  interface Stores {
    demos: DemoBridge;
    demoAccounts: DemoAccounts;
  }
}

/** The demo apps that share the database: their data, and what they and Palaver tell each other. */
export const interop: Feature = {
  name: "interop",
  settings,
  lua: new URL("./lua/", import.meta.url),
  stores({ commands, scripts, config, name, log }, { users, passwords, messageConsumers, presence }) {
    const demos = new DemoBridge(commands, scripts, users, config.interop, name, log);
    messageConsumers.add(demos);
    presence.onTransition((transition) => demos.presenceChanged(transition));
    return { demos, demoAccounts: new DemoAccounts(users, passwords, config.demoData) };
  },
  resolvers: [DemoAccountsResolver],
  async serve(
    { redis, commands, scripts, followed, config, name, log, limitedLog },
    { sends, passwords, presence, users, demos, demoAccounts },
  ) {
    if (config.demoData) await seedDemoData(commands, scripts, passwords);
    await demoAccounts.look();
    if (config.interop === "off") return undefined;
    const listener = new DemoListener(await redis.connectListener(), { sends, presence, users }, limitedLog, () => followed.catchUp());
    await listener.start();
    const sweep = new ConsumerSweep(commands, DEMOS, unannounced(commands, demos), name, log);
    return async () => {
      await Promise.all([listener.stop(), sweep.stop()]);
    };
  },
  welcome({ interop }, { demoAccounts: { open } }) {
    const accounts = `  Demo accounts: ${open.join(", ")}; the password of each is ${DEMO_PASSWORD}. Do not keep them on a public server.`;
    const isFull = "  INTEROP=full: Palaver publishes private messages on the channel MESSAGES, and demo apps show them to everyone.";
    return [...(open.length > 0 ? [accounts] : []), ...(interop === "full" ? [isFull] : [])];
  },
  async close({ demos }) {
    await demos.finish();
  },
};
