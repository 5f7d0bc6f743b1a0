/** The codes with which the server closes a socket. The protocol graphql-transport-ws defines more. */
export const CLOSE = {
  INVALID_FRAME: 4400,
  RESTARTING: 1012,
  TRY_LATER: 1013,
  SESSION_OVER: 4403,
  NO_SUCH_PROTOCOL: 4406,
  ID_IN_USE: 4409,
  INTERNAL_ERROR: 4500,
} as const;

/** Cuts a reason to the 123 bytes that fit into a close frame, in ASCII, as it may quote text from a client. */
export const fitReason = (reason: string) => reason.replace(/[^\x20-\x7e]/g, "?").slice(0, 123);
