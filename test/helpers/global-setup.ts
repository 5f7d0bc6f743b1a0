import { redisBinary } from "../../src/redis/install.js";

/** Installs Redis if it is missing, once, before the test files need it at the same time. */
export default function setup(): void {
  redisBinary((line) => process.stderr.write(`${line}\n`));
}
