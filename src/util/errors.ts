import { GraphQLError } from "graphql";
import { isLonger } from "./characters.js";
import type { RoomId } from "./ids.js";

/** One kind of error: whether a retry can help, and a sentence for people that says what to do. */
interface Entry {
  retryable: boolean;
  say: (...about: never[]) => string;
  /** Entries of `extensions` in addition to the code, for programs. */
  details?: (...about: never[]) => Record<string, unknown>;
}

/** Every error of Palaver itself that a client can get, by its `extensions.code`. GraphQL has further codes. */
export const errors = {
  UNAUTHENTICATED: {
    retryable: false,
    say: (why?: string) =>
      why ?? "Log in first: send the session's token as `Authorization: Bearer …`, or in `connectionParams.authorization`.",
  },
  INVALID_CREDENTIALS: { retryable: false, say: () => "The username or password is wrong. Check both and try again." },
  FORBIDDEN: { retryable: false, say: (why: string) => why },
  NOT_A_MEMBER: { retryable: false, say: (roomId: RoomId) => `You are not a member of room ${roomId}.` },
  NOT_FOUND: { retryable: false, say: (what: string) => what },
  BAD_USER_INPUT: { retryable: false, say: (argument: string, rule: string) => `${argument}: ${rule}` },
  USERNAME_TAKEN: {
    retryable: false,
    say: (username: string) => `The username ${username} is taken, or looks like one that is. Choose another.`,
  },
  CLIENT_MESSAGE_ID_REUSED: {
    retryable: false,
    say: () => "clientMessageId was already used in this room with another text or for another reply. Generate a new one for each message.",
  },
  CLIENT_ROOM_ID_REUSED: {
    retryable: false,
    say: () =>
      "clientRoomId was already used with another name, membersMayInvite, members, or order of members. Generate a new one for each group.",
  },
  HISTORY_RESET: {
    retryable: false,
    say: (roomId: RoomId) =>
      `Room ${roomId} cannot be resumed from this position. Load its newest messages again, and subscribe after the position that comes with them.`,
    details: (roomId: RoomId) => ({ roomId }),
  },
  RATE_LIMITED: { retryable: true, say: (seconds: number, why = "Too many requests.") => `${why} Try again in ${seconds} s.` },
  TOO_MANY_SUBSCRIPTIONS: { retryable: false, say: (limit: string) => `${limit} Complete other subscriptions first, or ask for less.` },
  QUERY_TOO_COMPLEX: { retryable: false, say: (limit: string) => `${limit} Ask for less in one operation.` },
  UNAVAILABLE: { retryable: true, say: () => "Redis does not answer. Try again in a moment." },
  INTERNAL_SERVER_ERROR: {
    retryable: false,
    say: () => "Something went wrong on the server, which logged it. If it happens again, ask the server's operator.",
  },
} satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof errors;

/** An error with a code of the catalog above; the only kind of error whose text clients see. */
export class ChatError extends GraphQLError {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(message, { extensions: { code, retryable: errors[code].retryable, ...details } });
    this.name = "ChatError";
    this.code = code;
  }
}

/** Creates the error with this code: `throw refusal("NOT_A_MEMBER", roomId)`. */
export function refusal<Code extends ErrorCode>(code: Code, ...about: Parameters<(typeof errors)[Code]["say"]>): ChatError {
  const { say, details } = errors[code] as {
    say: (...about: unknown[]) => string;
    details?: (...about: unknown[]) => Record<string, unknown>;
  };
  return new ChatError(code, say(...about), details?.(...about));
}

/** The error for an argument that breaks a rule; `extensions.argument` names it for programs. */
export function badInput(argument: string, rule: string): ChatError {
  return new ChatError("BAD_USER_INPUT", errors.BAD_USER_INPUT.say(argument, rule), { argument });
}

export const LONGEST_CLIENT_ID = 64; // characters

/** @throws ChatError BAD_USER_INPUT if a client may not use this id for a call */
export function checkClientId(id: string, argument: string): void {
  if (id === "" || isLonger(id, LONGEST_CLIENT_ID) || !id.isWellFormed() || /\p{C}/u.test(id))
    throw badInput(argument, `must be 1 to ${LONGEST_CLIENT_ID} characters without control characters, such as a UUID.`);
}

/**
 * The error for a call that came too often, or that the server cannot serve yet; `extensions.retryAfter` says after how many seconds the
 * client can retry it.
 */
export function rateLimited(seconds: number, why?: string): ChatError {
  return new ChatError("RATE_LIMITED", errors.RATE_LIMITED.say(seconds, why), { retryAfter: seconds });
}

/** Whether the error is a ChatError with that code. */
export function isRefusal(error: unknown, code: ErrorCode): error is ChatError {
  return error instanceof ChatError && error.code === code;
}
