import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { cleanUp } from "./cleanup.js";
import { MAIN } from "./program.js";

const PROBE = fileURLToPath(new URL("../../bench/probe.mjs", import.meta.url));

/** Starts the built program in a separate process, so that its memory does not include the clients'. */
export async function measuredServer(redisUrl: string, ...args: string[]) {
  const options = ["--redis", redisUrl, "--port", "0", "--bcrypt-cost", "4", "--rate-limits", "off", "--log-level", "error", ...args];
  const child = spawn(process.execPath, ["--expose-gc", "--import", PROBE, MAIN, ...options], {
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  cleanUp(() => child.kill("SIGKILL"));
  let printed = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  const url = () => /API +(\S+)\/graphql/.exec(printed)?.[1];
  while (url() === undefined) await once(child.stdout ?? child, "data");
  return {
    url: url() as string,
    /** The errors that it logged. */
    failures: () => printed.split("\n").filter((line) => line.startsWith('{"level":')),
    /** The bytes of its heap and buffers in use after a garbage collection. */
    async memory(): Promise<number> {
      const answer = once(child, "message");
      child.send("memory");
      const [{ held }] = (await answer) as [{ held: number }];
      return held;
    },
  };
}
