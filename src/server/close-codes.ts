/** The codes with which a socket is closed here; the protocol graphql-transport-ws has more of its own. */
export const CLOSE = {
  INVALID_FRAME: 4400,
  RESTARTING: 1012,
  TRY_LATER: 1013,
  SESSION_OVER: 4403,
  NO_SUCH_PROTOCOL: 4406,
  ID_IN_USE: 4409,
  INTERNAL_ERROR: 4500,
} as const;

/** A reason that fits into a close frame: 123 bytes, whatever a client had us put in. */
export const fitReason = (reason: string) => reason.replace(/[^\x20-\x7e]/g, "?").slice(0, 123);
