import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv, type Plugin } from "vite";

/** The address of the API while `npm run dev` serves the page: `PALAVER_URL`, or a server on this machine. */
const apiUrl = (mode: string) => loadEnv(mode, ".", "PALAVER_").PALAVER_URL ?? "http://127.0.0.1:4000";

export default defineConfig(({ mode }) => ({
  plugins: [react(), compressed()],
  logLevel: "warn",
  build: {
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } }, // it would warn that compression is slow
  },
  server: { proxy: { "/graphql": { target: apiUrl(mode), ws: true } } },
}));

/** Writes a brotli and a gzip file beside each text file of the build, for servers that send precompressed files. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        for (const file of Object.values(bundle)) {
          if (!/\.(js|css|html|svg)$/.test(file.fileName)) continue;
          const source = file.type === "chunk" ? file.code : file.source;
          this.emitFile({ type: "asset", fileName: `${file.fileName}.br`, source: brotliCompressSync(source) });
          this.emitFile({ type: "asset", fileName: `${file.fileName}.gz`, source: gzipSync(source) });
        }
      },
    },
  };
}
