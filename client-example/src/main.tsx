import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./styles.css";
import { App } from "./App";
import { ErrorBoundary } from "./components/ErrorBoundary";

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no element with the id `root`.");
createRoot(root).render(
  <StrictMode>
    <ErrorBoundary sentence="Something went wrong on this page.">
      <App />
    </ErrorBoundary>
  </StrictMode>,
);
