import { useConnection } from "../hooks/useConnection";

const LABELS = { connecting: "Connecting…", live: "Live", offline: "Offline" };

/** Whether messages arrive as they are sent. */
export function ConnectionState() {
  const { state } = useConnection();
  return (
    <span className={`connection ${state}`} role="status">
      {LABELS[state]}
    </span>
  );
}
