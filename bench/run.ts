/**
 * Measures the built Palaver and the servers that it is compared with, one after the other in the same run: CPU time of the
 * server's process as the system counts it, and memory after a forced collection. Run `npm run bench`, or
 * `npm run bench -- memory sends`.
 */
import { endAll } from "./processes.js";
import { assistant } from "./scenarios/assistant.js";
import { attacks } from "./scenarios/attacks.js";
import { builds } from "./scenarios/builds.js";
import { onCluster } from "./scenarios/cluster.js";
import { compression } from "./scenarios/compression.js";
import { directory } from "./scenarios/directory.js";
import { exporting } from "./scenarios/export.js";
import { fanOut } from "./scenarios/fan-out.js";
import { history } from "./scenarios/history.js";
import { interop } from "./scenarios/interop.js";
import { logins } from "./scenarios/logins.js";
import { memory } from "./scenarios/memory.js";
import { page } from "./scenarios/page.js";
import { presence } from "./scenarios/presence.js";
import { comeBack } from "./scenarios/return.js";
import { manyRooms } from "./scenarios/rooms.js";
import { sends } from "./scenarios/sends.js";
import { stall } from "./scenarios/stall.js";

const scenarios = {
  "fan-out": fanOut,
  rooms: manyRooms,
  memory,
  sends,
  cluster: onCluster,
  interop,
  return: comeBack,
  stall,
  logins,
  page,
  presence,
  history,
  directory,
  export: exporting,
  compression,
  assistant,
  attacks,
  builds,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(scenarios, name));
if (unknown.length > 0) {
  process.stderr.write(`Unknown scenarios: ${unknown.join(", ")}. Choose from ${Object.keys(scenarios).join(", ")}.\n`);
  process.exit(1);
}
for (const [name, scenario] of Object.entries(scenarios)) {
  if (names.length > 0 && !names.includes(name)) continue;
  try {
    await scenario();
  } finally {
    await endAll();
  }
}
process.exit(0); // Redis connections may still be open
