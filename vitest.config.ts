import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    // Else Vite takes graphql's ES modules for our files while libraries get its CommonJS: two copies that refuse each other's types.
    alias: [{ find: /^graphql$/, replacement: "graphql/index.js" }],
  },
  test: {
    include: ["test/**/*.test.ts", "client-example/test/**/*.test.ts"],
    globalSetup: ["test/helpers/global-setup.ts"],
    reporters: ["default", "./test/helpers/closing-line.ts"],
    // In ms, for a busy machine. Alone, the longest test takes a tenth of that.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 100_000 } },
    maxWorkers: 4, // on two cores: many files mostly wait, such as for a failover
  },
});
