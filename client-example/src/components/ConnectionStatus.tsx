import { type ConnectionState, useConnection } from "../hooks/useConnection";

const LABELS: Record<ConnectionState, string> = {
  connecting: "Connecting…",
  "catching up": "Catching up…",
  live: "Live",
  offline: "Offline",
};

/** The state of the live connection. */
export function ConnectionStatus() {
  const { state } = useConnection();
  return (
    <span className={`connection ${state.replace(" ", "-")}`} role="status">
      {LABELS[state]}
    </span>
  );
}

/** A notice while there is no connection. */
export function OfflineNotice() {
  const { state, retry } = useConnection();
  if (state !== "offline") return null;
  return (
    <p className="notice">
      No connection. Your messages will be sent when you are back online.
      <button type="button" className="link" onClick={retry}>
        Reconnect
      </button>
    </p>
  );
}
