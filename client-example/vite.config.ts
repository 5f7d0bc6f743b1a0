import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  logLevel: "warn",
  build: { reportCompressedSize: false, modulePreload: { polyfill: false } },
  // `npm run dev`: this page with hot reloading, the API of a server on its usual port.
  server: { proxy: { "/graphql": { target: "http://127.0.0.1:4000", ws: true } } },
});
