import { type ConnectionState, useConnection } from "../hooks/useConnection";

const LABELS: Record<ConnectionState, string> = {
  connecting: "Connecting…",
  "catching up": "Catching up…",
  live: "Live",
  offline: "Offline",
};

/** Whether messages arrive as they are sent. */
export function ConnectionStatus() {
  const { state } = useConnection();
  return (
    <span className={`connection ${state.replace(" ", "-")}`} role="status">
      {LABELS[state]}
    </span>
  );
}

/** What to know while there is no connection. */
export function OfflineNotice() {
  const { state, retry } = useConnection();
  if (state !== "offline") return null;
  return (
    <p className="notice">
      No connection. Messages are sent when you are back online.
      <button type="button" className="link" onClick={retry}>
        Reconnect
      </button>
    </p>
  );
}
