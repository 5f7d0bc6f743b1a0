import { Redis } from "ioredis";
import { cpuOf, startPalaver } from "../processes.js";
import { printTable, type Row } from "../table.js";

const USERS = 100_000;
const COUNT = 1_000; // searches of each kind
const SYLLABLES = ["an", "be", "co", "da", "el", "fi", "go", "ha", "is", "jo", "ka", "lu"];

const SEARCH = "query ($search: String!) { users(search: $search, first: 10) { nodes { id username name } totalCount } }";

/** Searches among many accounts of an existing database. */
export async function directory(): Promise<void> {
  const { redisUrl, token, ...server } = await startPalaver();
  const redis = new Redis(redisUrl);
  const word = (n: number, length: number) =>
    Array.from({ length }, (_, at) => SYLLABLES[Math.floor(n / SYLLABLES.length ** at) % SYLLABLES.length]).join("");
  process.stderr.write(`creating ${USERS} accounts …\n`);
  for (let first = 10; first < USERS; first += 1_000) {
    const pipeline = redis.pipeline();
    for (let id = first; id < first + 1_000; id++) {
      pipeline.hset(`user:${id}`, { username: `${word(id, 4)}${id}`, name: `${word(id * 7, 3)} ${word(id * 13, 4)}`, password: "$2b$" });
    }
    await pipeline.exec();
  }
  await redis.set("total_users", USERS);

  const ask = async (search: string) => {
    const response = await fetch(server.url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: SEARCH, variables: { search } }),
    });
    return ((await response.json()) as { data: { users: { totalCount: number } } }).data.users.totalCount;
  };
  const cpuOfRedis = async () => {
    const info = await redis.info("cpu");
    return [...info.matchAll(/used_cpu_(?:sys|user):([\d.]+)/g)].reduce((sum, [, seconds]) => sum + Number(seconds) * 1_000, 0);
  };

  process.stderr.write("waiting for the index …\n");
  const start = performance.now();
  const [redisBefore, serverBefore] = [await cpuOfRedis(), await cpuOf(server)];
  while (Number(await redis.hget("indexed:2:{total_users}", "up_to")) < USERS) {
    await ask("nobody"); // the first search starts the indexing
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const rows: Row[] = [
    {
      name: `indexing ${USERS} accounts (total)`,
      "ms each": performance.now() - start,
      "CPU ms, Redis": (await cpuOfRedis()) - redisBefore,
      "CPU ms, server": (await cpuOf(server)) - serverBefore,
    },
  ];
  for (const search of ["a", "an", "anbeco", "anbeco daan", "nobody"]) {
    for (let n = 0; n < 200; n++) await ask(search); // warm-up
    const [redisBefore, serverBefore, since] = [await cpuOfRedis(), await cpuOf(server), performance.now()];
    let found = 0;
    for (let n = 0; n < COUNT; n++) found = await ask(search);
    rows.push({
      name: `“${search}”`,
      "users found": found,
      "ms each": (performance.now() - since) / COUNT,
      "CPU ms, Redis": ((await cpuOfRedis()) - redisBefore) / COUNT,
      "CPU ms, server": ((await cpuOf(server)) - serverBefore) / COUNT,
    });
  }
  redis.disconnect();
  printTable(`directory: searches over HTTP in ${USERS} accounts`, rows);
}
