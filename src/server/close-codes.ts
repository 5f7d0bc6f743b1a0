/** The codes with which a socket is closed here; the protocol graphql-transport-ws has more of its own. */
export const CLOSE = {
  RESTARTING: 1012,
  TRY_LATER: 1013,
  SESSION_OVER: 4403,
  ID_IN_USE: 4409,
  INTERNAL_ERROR: 4500,
} as const;
