import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { Redis } from "ioredis";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { optionOf } from "../../src/config/config.js";
import { DEMO_PASSWORD, DEMO_USERS } from "../../src/interop/demo-data.js";
import { settings } from "../../src/program/settings.js";
import { TestClient } from "../helpers/client.js";
import { eventually } from "../helpers/eventually.js";
import { emptyFolder, isListening, launch, MAIN, type Program, redisTools, start, writeScript } from "../helpers/program.js";
import { ownRedis } from "../helpers/redis.js";

const shared = await ownRedis();

beforeAll(() => {
  if (!existsSync(MAIN))
    throw new Error(`${MAIN} does not exist: these tests run the built program. Build it with "npm run build:server".`);
});

describe("one command", () => {
  it("[RUN1] starts everything without settings, and prints its addresses and the demo accounts", async () => {
    const cwd = await emptyFolder();
    const program = launch({ cwd, args: ["--port", "0"] }); // 4000 may be in use
    await program.ready();
    expect(program.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(program.stdout).toContain(`GraphiQL   ${program.url}/graphql`);
    expect(program.stdout).toContain(`${program.url.replace("http", "ws")}/graphql`);
    expect(program.stdout).toContain(`${program.redisUrl}  (embedded)`);
    for (const username of DEMO_USERS) {
      expect(program.stdout).toContain(username);
      expect((await login(program, username)).username).toBe(username);
    }
    expect(program.stderr).toBe("");
    expect(await readdir(cwd)).toEqual(["data"]);
  });

  it("[RUN2] keeps all data over a restart, and does not add the demo data twice", async () => {
    const cwd = await emptyFolder();
    const first = await start(cwd);
    const pablo = await login(first);
    await pablo.send("still here?");
    const before = await history(pablo);
    first.kill("SIGTERM");
    expect(await first.end()).toBe(0);
    await first.redisGone();

    const second = await start(cwd);
    const again = pablo.on(second); // the session is data too
    expect(before.at(-1)).toBe("still here?");
    expect(before).toHaveLength(6);
    expect(await history(again)).toEqual(before);
    expect(await history(again, "1:2")).toHaveLength(2);
    expect((await again.ask("{ users { totalCount } }")).users.totalCount).toBe(5); // the demo accounts, and the assistant
  });
});

describe("two servers on one Redis", () => {
  it("[D1] [P2] let subscribers of a killed server go offline, and resume on the other without loss", async () => {
    const redis = await ownRedis();
    const doomed = await start(await emptyFolder(), "--redis", redis.url);
    const other = await start(await emptyFolder(), "--redis", redis.url);
    const writer = await TestClient.register(other, "writer");
    const reader = await TestClient.register(doomed, "reader");
    const watching = writer.subscribe("subscription ($ids: [ID!]) { userOnline(userIds: $ids) { online } }", { ids: [reader.id] });
    await expect.poll(() => redis.client.call("PUBSUB", "SHARDNUMSUB", "online_users")).toEqual(["online_users", 1]);

    const first = reader.follow({ after: [await reader.position()] });
    expect(await watching.next()).toEqual({ online: true });
    for (let n = 0; n < 10; n++) await writer.send(`before ${n}`);
    const arrived = await first.next();
    const sending = Promise.all(Array.from({ length: 20 }, (_, n) => writer.send(`amid ${n}`)));
    doomed.kill("SIGKILL");
    const positions = [arrived];
    for (;;) {
      const message = await first.next().catch(() => undefined); // the connection ends somewhere among them
      if (!message) break;
      positions.push(message);
    }
    await sending;
    await writer.send("after");
    expect(await watching.next()).toEqual({ online: false }); // the killed server's lease has run out

    const second = reader.on(other).follow({ after: [positions.at(-1).position] });
    const rest = await second.texts(31 - positions.length);
    const { messages } = await writer.ask('{ messages(roomId: "0", last: 31) { nodes { text } } }');
    expect([...positions.map(({ text }) => text), ...rest]).toEqual(messages.nodes.map(({ text }: { text: string }) => text));
    await reader.disconnect();
  });
});

describe("the end of the program", () => {
  it("[O2] has exit code 0 on SIGTERM during sends, and loses no answered send", async () => {
    const cwd = await emptyFolder();
    const program = await start(cwd);
    const sending = await keepSending(program);
    program.kill("SIGTERM");
    expect(await program.end()).toBe(0);
    await program.redisGone();
    const answered = await sending.answered();
    expect(await history(await login(await start(cwd)))).toEqual(expect.arrayContaining(answered));
  });

  it("[O2] loses nothing on Ctrl-C, which reaches the whole process group: Redis outlives the server", async () => {
    const cwd = await emptyFolder();
    const program = await start(cwd);
    const sending = await keepSending(program);
    program.killGroup("SIGINT");
    expect(await program.end()).toBe(0);
    await program.redisGone();
    const answered = await sending.answered();
    expect(await history(await login(await start(cwd)))).toEqual(expect.arrayContaining(answered));
  });

  it("[O2] handles a Ctrl-C once that arrives twice, from the terminal and from npm", async () => {
    const program = await start(await emptyFolder());
    const pablo = await login(program);
    const stream = pablo.follow({ after: [await pablo.position()] });
    await pablo.send("connected");
    expect(await stream.texts(1)).toEqual(["connected"]);
    program.kill("SIGINT");
    program.kill("SIGTERM"); // another signal, because the kernel may merge two equal ones
    await expect(stream.next()).rejects.toMatchObject({ code: 1012 });
    expect(await program.end()).toBe(0);
  });

  it("[RUN3] [M1] ends Redis as well on kill -9 during sends; the next start has every answered send", async () => {
    const cwd = await emptyFolder();
    const program = await start(cwd);
    const sending = await keepSending(program);
    const pablo = await login(program);
    await pablo.send("the last words");
    program.kill("SIGKILL");
    expect(await program.end()).toBe("SIGKILL");
    await eventually(async () => expect(await isListening(program.redisUrl)).toBe(false));
    await program.redisGone();

    const answered = [...(await sending.answered()), "the last words"];
    expect(await history(pablo.on(await start(cwd)))).toEqual(expect.arrayContaining(answered));
  });

  it("[RUN3] delays the next start until a killed server's Redis has ended, and nothing is lost", async () => {
    const cwd = await emptyFolder();
    const killed = await start(cwd);
    const pablo = await login(killed);
    await pablo.send("saved at the last moment");
    const redis = await redisProcess(killed.redisUrl);
    process.kill(redis, "SIGSTOP"); // delays its end
    killed.kill("SIGKILL");
    await killed.end();

    const next = launch({ cwd, args: ["--port", "0"] });
    await eventually(async () => expect(await readdir(join(cwd, "data"))).toContain(`palaver.lock.${next.pid}`));
    expect(next.redisGroups).toEqual([]);
    process.kill(redis, "SIGCONT");
    await next.ready();
    expect(await history(pablo.on(next))).toContain("saved at the last moment");
  });

  it("[RUN3] leaves no Redis behind if the server is killed at its start, or its terminal closes", async () => {
    const cwd = await emptyFolder();
    const starting = launch({ cwd, args: ["--port", "0"] });
    await vi.waitFor(() => expect(starting.redisGroups).toHaveLength(1), { timeout: 60_000, interval: 1 });
    starting.kill("SIGKILL");
    await starting.end();
    await starting.redisGone();

    const running = await start(cwd);
    running.killGroup("SIGHUP");
    expect(await running.end()).toBe("SIGHUP");
    await running.redisGone();
  });
});

describe("a Redis that is killed", () => {
  it("[RUN3] [M1] is restarted with the same files and address, and has every answered send", async () => {
    const program = await start(await emptyFolder(), "--data-fsync", "always"); // `everysec` may lose the last second in a kill
    const pablo = await login(program);
    await pablo.send("before the kill");
    const killed = await redisProcess(program.redisUrl);
    process.kill(killed, "SIGKILL");
    await vi.waitFor(async () => expect(await history(pablo)).toContain("before the kill"), { timeout: 60_000, interval: 100 });
    await eventually(async () => expect((await pablo.send("after the kill")).text).toBe("after the kill"));
    expect(await redisProcess(program.redisUrl)).not.toBe(killed);
    program.kill("SIGTERM");
    expect(await program.end()).toBe(0);
  });

  it("[RUN3] does not prevent the server from ending, and is not restarted afterwards", async () => {
    const program = await start(await emptyFolder());
    process.kill(await redisProcess(program.redisUrl), "SIGKILL");
    program.kill("SIGTERM");
    expect(await program.end()).toBe(0);
    await program.redisGone();
  });

  it("[RUN4] leaves its folder locked: another start is refused while Redis is away", async () => {
    const cwd = await emptyFolder();
    const program = await start(cwd);
    const redis = await redisProcess(program.redisUrl);
    program.kill("SIGSTOP"); // so that it cannot restart Redis yet
    process.kill(redis, "SIGKILL");
    await eventually(async () => expect(await isListening(program.redisUrl)).toBe(false));

    const other = launch({ cwd, args: ["--port", "0"] });
    await eventually(async () => expect(await readdir(join(cwd, "data"))).toContain(`palaver.lock.${other.pid}`));
    program.kill("SIGCONT");
    expect(await other.end()).toBe(1);
    expect(other.stderr).toContain(`Another Palaver (process ${program.pid})`);
    expect(other.redisGroups).toEqual([]);
  });
});

describe("a data folder", () => {
  it("[RUN4] serves one server: a second one exits 1, and says how to share the first one's Redis", async () => {
    const cwd = await emptyFolder();
    const first = await start(cwd);
    const second = launch({ cwd, args: ["--port", "0"] });
    expect(await second.end()).toBe(1);
    expect(second.stderr).toContain(`Another Palaver (process ${first.pid})`);
    expect(second.redisGroups).toEqual([]);

    const [, advised = ""] = /--redis (\S+)/.exec(second.stderr) ?? [];
    expect(advised).toBe(first.redisUrl);
    const sharing = await start(cwd, "--redis", advised);
    expect(sharing.redisGroups).toEqual([]);
    const pablo = await login(first);
    const joe = await login(sharing, "Joe");
    await pablo.send("through the first");
    expect(await history(joe)).toContain("through the first");

    sharing.kill("SIGTERM");
    expect(await sharing.end()).toBe(0);
    expect(await history(pablo)).toContain("through the first"); // the second server does not stop a shared Redis
  });

  it("[RUN4] can be reused after a dead process's lock, and goes to one of two concurrent starts", async () => {
    const cwd = await emptyFolder();
    const dead = spawnSync(process.execPath, ["--version"]).pid;
    await mkdir(join(cwd, "data"));
    await writeFile(join(cwd, "data", "palaver.lock"), `${dead}\nredis://127.0.0.1:${await freePort()}\n`);

    const both = [launch({ cwd, args: ["--port", "0"] }), launch({ cwd, args: ["--port", "0"] })] as const;
    const outcomes = await Promise.allSettled(both.map((program) => program.ready()));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [winner, loser] = outcomes[0]?.status === "fulfilled" ? both : [both[1], both[0]];
    expect(loser.ended).toBe(1);
    expect(loser.stderr).toContain(`Another Palaver (process ${winner.pid})`);
    expect(loser.redisGroups).toEqual([]);
    expect(await login(winner)).toBeDefined();
  });

  it("[RUN4] can be reused if the process number in its lock now belongs to another program", async () => {
    const cwd = await emptyFolder();
    await mkdir(join(cwd, "data"));
    await writeFile(join(cwd, "data", "palaver.lock"), `${process.pid}\nredis://127.0.0.1:${await freePort()}\n`);
    await start(cwd);
  });

  it("[RUN6] that is invalid leads to exit code 1, and a sentence that says to choose another", async () => {
    const cwd = await emptyFolder();
    await writeFile(join(cwd, "file"), "");
    const program = launch({ cwd, args: ["--port", "0", "--data-dir", "file"] });
    expect(await program.end()).toBe(1);
    expect(program.stderr).toContain(join(cwd, "file"));
    expect(program.stderr).toContain("--data-dir");
    expect(program.stderr).not.toContain("    at ");
  });
});

describe("obstacles to a start", () => {
  it("[RUN6] a port in use: exits 1, says to choose another, and leaves no Redis behind", async () => {
    const { port } = await listener();
    const program = launch({ cwd: await emptyFolder(), args: ["--port", String(port)] });
    expect(await program.end()).toBe(1);
    expect(program.stderr).toContain(`127.0.0.1:${port}`);
    expect(program.stderr).toContain("npm start -- --port");
    expect(program.stderr).not.toContain("    at ");
    expect(program.redisGroups).toHaveLength(1);
    await program.redisGone();
  });

  it("[RUN6] an unreachable Redis: exits 1 in seconds, says what to do, and hides the password", async () => {
    const port = await freePort();
    const program = launch({
      cwd: await emptyFolder(),
      args: ["--port", "0", "--redis", `redis://:geheim@127.0.0.1:${port}`, "--redis-wait", "0"],
    });
    expect(await program.end()).toBe(1);
    expect(program.stderr).toContain(`127.0.0.1:${port}`);
    expect(program.stderr).toContain("ECONNREFUSED");
    expect(program.stderr).toContain("Without --redis");
    expect(program.stdout + program.stderr).not.toMatch(/geheim| {4}at /);
    expect(program.redisGroups).toEqual([]);
  });

  it("[RUN6] a wrong Redis password: exits 1 in seconds, says so, and does not print the password", async () => {
    const { url, client } = shared;
    await client.config("SET", "requirepass", "right");
    const cwd = await emptyFolder();
    const refused = [
      ["--redis", url.replace("//", "//:geheim@")],
      ["--redis", url, "--redis-password", "geheim"],
      ["--redis", url],
    ].map((args) => launch({ cwd, args: ["--port", "0", ...args] }));
    for (const program of refused) {
      expect(await program.end()).toBe(1);
      expect(program.stderr).toMatch(/refuses the user name or password|requires a password/);
      expect(program.stderr).toContain("REDIS_PASSWORD");
      expect(program.stdout + program.stderr).not.toMatch(/geheim| {4}at /);
    }
    const program = await start(cwd, "--redis", url, "--redis-password", "right");
    expect(program.stdout).not.toContain("right");
    expect(await client.ping()).toBe("PONG");
  });

  it("[RUN6] another service at the address of Redis: exits 1 in seconds, and says what to do", async () => {
    const { port } = await listener("HTTP/1.1 400 Bad Request\r\n\r\n");
    const program = launch({ cwd: await emptyFolder(), args: ["--port", "0", "--redis", `127.0.0.1:${port}`] });
    expect(await program.end()).toBe(1);
    expect(program.stderr).toContain(`Cannot use Redis at redis://127.0.0.1:${port}`);
    expect(program.stderr).not.toContain("    at ");
  });

  it("[RUN6] no Redis and no way to install it: exits 1, and says how to install it in one screen", async () => {
    const program = launch({ cwd: await emptyFolder(), args: ["--port", "0"], path: await toolFolder() });
    expect(await program.end()).toBe(1);
    expect(program.stderr).toContain("sudo apt-get install redis-server");
    expect(program.stderr).toContain("brew install redis");
    expect(program.stderr).toContain("npm start -- --redis redis://");
    expect(program.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(24);
  });

  it("[RUN6] no Redis but a package manager: prints each command, runs it, and starts the server", async () => {
    const path = await toolFolder();
    await packageManager(
      path,
      `[ "$1" = install ] && ${await pathOf("ln")} -s "${join(redisTools, "redis-server")}" "${path}/redis-server"`,
    );
    const program = launch({ cwd: await emptyFolder(), args: ["--port", "0"], path });
    await program.ready();
    const asRoot = process.getuid?.() === 0 ? "" : "sudo --non-interactive ";
    expect(program.stderr.split("\n").slice(1, -1)).toEqual([
      `  $ ${asRoot}apt-get update`,
      "ran: update",
      `  $ ${asRoot}apt-get install --yes --no-install-recommends redis-server`,
      "ran: install --yes --no-install-recommends redis-server",
    ]);
    expect(await login(program)).toBeDefined();
  });

  it("[RUN6] no Redis and a failing package manager: exits 1, and says how to install it by hand", async () => {
    const path = await toolFolder();
    await packageManager(path, "exit 100");
    const program = launch({ cwd: await emptyFolder(), args: ["--port", "0"], path });
    expect(await program.end()).toBe(1);
    expect(program.stderr).toContain("exit 100");
    expect(program.stderr).toContain("sudo apt-get install redis-server");
    expect(program.stderr.trimEnd().split("\n").length).toBeLessThanOrEqual(24);
  });
});

describe("settings", () => {
  it("[RUN5] are checked together: lists all problems on stderr, exits 1, and starts nothing", async () => {
    const cwd = await emptyFolder();
    await writeFile(join(cwd, ".env"), "PLAYGROUND=maybe\n");
    const program = launch({
      cwd,
      args: ["--port", "abc", "--colour", "red", "--host=", "redis://:geheim@elsewhere", "--redis", "ftp://:geheim@host", "--demo-data"],
      env: { SESSION_TTL: "1", LOG_LEVEL: "loud" },
    });
    expect(await program.end()).toBe(1);
    for (const problem of [
      "--port: abc is not a whole number from 0 to 65535",
      "--colour: unknown option",
      "--host: a value is missing",
      "elsewhere: options begin with --",
      "--redis: is not a list of redis:// or rediss:// URLs, a redis-sentinel:// URL, or unix:/PATH",
      "--demo-data: a value is missing",
      "SESSION_TTL: 1 is not a whole number from 60 to 31536000",
      "LOG_LEVEL: loud is not one of debug, info, warn, error, silent",
      "PLAYGROUND: maybe is not one of on, off",
    ])
      expect(program.stderr).toContain(problem);
    expect(program.stderr).toContain("--help");
    expect(program.stderr).not.toMatch(/geheim| {4}at /);
    expect(program.stdout).toBe("");
    expect(await readdir(cwd)).toEqual([".env"]);
    expect(program.redisGroups).toEqual([]);
  });

  it("[RUN5] come from options before the environment before a .env file in the working directory", async () => {
    const cwd = await emptyFolder();
    await writeFile(join(cwd, ".env"), "PORT=0\nPLAYGROUND=off\nDATA_DIR=of-dotenv\nMESSAGE_LENGTH=10\n");
    const program = launch({ cwd, args: ["--message-length", "30"], env: { DATA_DIR: "of-environment", MESSAGE_LENGTH: "20" } });
    await program.ready();
    expect(program.stdout).not.toContain("GraphiQL"); // PLAYGROUND of the file
    expect((await readdir(cwd)).sort()).toEqual([".env", "of-environment"]);
    const pablo = await login(program);
    expect((await pablo.send("x".repeat(30))).text).toHaveLength(30);
    const error = await pablo.refused('mutation ($text: String!) { send(roomId: "0", text: $text) { id } }', { text: "x".repeat(31) });
    expect(error.extensions).toMatchObject({ code: "BAD_USER_INPUT", argument: "text" });
  });

  it("[RUN7] are all in --help; --help and --version work despite other, invalid options", async () => {
    const cwd = await emptyFolder();
    const help = launch({ cwd, args: ["--port", "abc", "--help"] });
    const version = launch({ cwd, args: ["--version"] });
    expect(await Promise.all([help.end(), version.end()])).toEqual([0, 0]);
    for (const definition of Object.values(settings)) expect(help.stdout).toContain(`  --${optionOf(definition)} `);
    expect(help.stdout).toContain("npm start");
    const { version: packaged } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(version.stdout).toBe(`${packaged}\n`);
    expect(help.stderr + version.stderr).toBe("");
    expect(await readdir(cwd)).toEqual([]);
  });
});

/** Logs in as one of the demo accounts. */
async function login(program: Program, username = "Pablo"): Promise<TestClient> {
  const { login } = await new TestClient(program.url).ask(
    "mutation ($username: String!, $password: String!) { login(username: $username, password: $password) { token user { id } } }",
    { username, password: DEMO_PASSWORD },
  );
  return new TestClient(program.url, login.token, login.user.id, username);
}

/** The texts of a room, oldest first. */
async function history(client: TestClient, roomId = "0"): Promise<string[]> {
  const texts: string[] = [];
  for (let before: string | undefined; ; ) {
    const { messages } = await client.ask(
      `query ($roomId: ID!, $before: String) {
        messages(roomId: $roomId, last: 100, before: $before) { nodes { text } pageInfo { hasPreviousPage startCursor } }
      }`,
      { roomId, before },
    );
    texts.unshift(...messages.nodes.map(({ text }: { text: string }) => text));
    if (!messages.pageInfo.hasPreviousPage) return texts;
    before = messages.pageInfo.startCursor;
  }
}

/** Lets three users send one message after the other until a send fails. Resolves after the first answers. */
async function keepSending(program: Program): Promise<{ answered: () => Promise<string[]> }> {
  const texts: string[] = [];
  const senders = await Promise.all(["Joe", "Mary", "Alex"].map((username) => login(program, username)));
  const over = Promise.all(
    senders.map(async (sender) => {
      for (let n = 1; n <= 100; n++) {
        const sent = await sender.send(`${sender.username} ${n}`).catch(() => undefined);
        if (!sent) return;
        texts.push(sent.text);
      }
    }),
  );
  await vi.waitFor(() => expect(texts.length).toBeGreaterThan(10), { timeout: 60_000, interval: 5 });
  return {
    answered: async () => {
      await over;
      return texts;
    },
  };
}

/** The process id of the Redis at this URL. */
async function redisProcess(url: string): Promise<number> {
  const client = new Redis(url);
  onTestFinished(() => client.disconnect());
  client.on("error", () => {}); // the test may kill it
  return Number(/process_id:(\d+)/.exec(await client.info("server"))?.[1]);
}

/** Starts a TCP server on loopback that answers everything with this text. */
async function listener(answer = ""): Promise<AddressInfo> {
  const server = createServer((socket) => socket.on("error", () => {}).on("data", () => socket.end(answer)));
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server.address() as AddressInfo;
}

/** Finds a free port. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await once(server.close(), "close");
  return port;
}

/** Creates a minimal folder for the PATH, without Redis and without a package manager. */
async function toolFolder(): Promise<string> {
  const folder = await emptyFolder();
  await symlink(process.execPath, join(folder, "node"));
  await symlink(await pathOf("sh"), join(folder, "sh"));
  return folder;
}

/** Adds an `apt-get` to the folder that prints its arguments and runs an action, and a `sudo` that needs no password. */
async function packageManager(folder: string, action: string): Promise<void> {
  await writeScript(join(folder, "apt-get"), 'echo "ran: $*"', action, "exit 0");
  await writeScript(join(folder, "sudo"), "shift", '"$@"');
}

async function pathOf(tool: string): Promise<string> {
  return spawnSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).stdout.trim();
}
