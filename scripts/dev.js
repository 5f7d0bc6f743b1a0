/**
 * `npm run dev` serves page and API on one port, both up to date after an edit. Vite listens on the port and serves the page. The API runs
 * under `tsx watch` on a separate port, to which Vite forwards requests. All options of the server work: `npm run dev -- --port 4100`.
 */
import { spawn, spawnSync } from "node:child_process";
import { createServer as createTcpServer } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createLogger, createServer } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({ options: { port: { type: "string" }, host: { type: "string" } }, strict: false });
const wanted = Number(values.port ?? process.env.PORT ?? 4000);
const port = wanted === 0 ? await freePort() : wanted;
const host = String(values.host ?? process.env.HOST ?? "127.0.0.1");
const apiPort = await freePort();

generateTypes();
const options = [...process.argv.slice(2), "--port", String(apiPort), "--host", "127.0.0.1"];
const api = spawn(
  `${root}node_modules/.bin/tsx`,
  ["watch", "--clear-screen=false", "--include", "src/*/lua/**/*.lua", "src/main.ts", ...options],
  {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  },
);

// While the API restarts, the proxy reports errors. They are not worth a log line, because pages reconnect by themselves.
const customLogger = createLogger("info");
const { error: tell } = customLogger;
customLogger.error = (message, options) => /proxy (socket )?error/.test(message) || tell(message, options);

const proxied = { target: `http://127.0.0.1:${apiPort}`, ws: true, configure: quietly };
let vite;
try {
  vite = await createServer({
    root: `${root}client-example`,
    customLogger,
    server: {
      port,
      host,
      strictPort: true,
      // An editor that empties and then fills a file causes one change, not two, of which Vite could miss the second.
      watch: { awaitWriteFinish: { stabilityThreshold: 30, pollInterval: 10 } }, // ms
      proxy: Object.fromEntries(["/graphql", "/rooms/", "/healthz", "/readyz", "/metrics"].map((path) => [path, proxied])),
    },
  });
  await vite.listen();
} catch (error) {
  process.stderr.write(`${error.message}\nTo use another port: npm run dev -- --port 4100\n`);
  await stop(1);
}
vite.watcher.on("change", (path) => /(\.graphql|codegen\.yml)$/.test(path) && generateTypes());
process.stdout.write(`Page and API, updated after each edit: http://${host}:${vite.httpServer?.address().port}\n`);

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => stop(0));
api.once("exit", (code) => stop(code ?? 0));

async function stop(code) {
  const isOver = api.exitCode !== null || api.signalCode !== null;
  const ended = isOver ? undefined : new Promise((resolve) => api.once("close", resolve));
  api.kill("SIGTERM");
  await Promise.all([ended, vite?.close()]);
  process.exit(code);
}

/** Generates the types of the page's operations from the schema and the .graphql files. */
function generateTypes() {
  spawnSync("npm", ["run", "--silent", "codegen"], { cwd: `${root}client-example`, stdio: "inherit" });
}

/** Answers requests while the API starts. */
function quietly(proxy) {
  proxy.on("error", (_error, _request, response) => {
    if ("writeHead" in response && !response.headersSent) response.writeHead(503, { "retry-after": "1" }).end("The API is starting.");
    else response.destroy();
  });
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createTcpServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
}
