/** Lets the bench ask a server's process what memory it holds, after a forced collection. */
process.on("message", (message) => {
  if (message !== "memory") return;
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage(); // array buffers are part of what is external
  process.send({ held: heapUsed + external, rss });
});
process.channel?.unref();
