/** Lets the benchmark ask a server's process for its memory use after a forced collection. */
process.on("message", (message) => {
  if (message !== "memory") return;
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage(); // `external` includes array buffers
  process.send({ held: heapUsed + external, rss });
});
process.channel?.unref();
