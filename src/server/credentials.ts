import type { IncomingMessage } from "node:http";
import type { DocumentNode, GraphQLSchema } from "graphql";
import { getOperationAST } from "graphql";
import { hasTokenForm, type Viewer } from "../sessions/session.store.js";
import type { Services } from "./context.js";
import { cookieTokens } from "./cookie.js";
import { allRootFields } from "./root-fields.js";

/** What a client gives to say who it is: a token, or something that is not one, with a sentence about it. */
export type Credential =
  /** `others`: to be tried after `token`, where a browser has several cookies. */
  { token: string; byCookie: boolean; others?: readonly string[] } | { token: undefined; refused: string };

/** The sentence for a token that opens nothing. */
export const DEAD_TOKEN = "The session is over, or the token is not of this server. Log in again.";

const UNCLEAR = "The authorization is not understood. Send the session's token as `Bearer TOKEN`.";
const IN_ADDRESS = "A token in the address is not read: addresses get logged. Send `Authorization: Bearer TOKEN`.";
const MISPLACED = "A token in this place is not read. Send it as connectionParams.authorization: `Bearer TOKEN`.";
const IN_HEADER = "A token in this header is not read. Send `Authorization: Bearer TOKEN`.";

/** Names under which people send tokens, without dashes and underscores. */
const TOKEN_NAME = /^x?(?:auth|access|session|bearer|id|jwt|user)?token$|^(?:authorization|auth|bearer|jwt|x?apikey|session|sessionid)$/;
const plain = (name: string) => name.toLowerCase().replace(/[-_]/g, "");

/** Headers in which a token of ours is looked for, only to say that it belongs elsewhere: gateways use such headers as well. */
const OTHER_HEADERS = ["token", "x-auth-token", "x-access-token", "auth-token", "access-token", "x-token"];

/** What an HTTP request or an upgrade says of who it is from; undefined where it says nothing. The header goes before the cookie. */
export function credentialOf(request: Pick<IncomingMessage, "url" | "headers">): Credential | undefined {
  const { url = "", headers } = request;
  const query = url.indexOf("?");
  if (query >= 0) {
    for (const [name, value] of new URLSearchParams(url.slice(query)))
      if (TOKEN_NAME.test(plain(name)) || hasTokenForm(value)) return refused(IN_ADDRESS);
  }
  const given = read(headers.authorization);
  if (given) return given;
  if (OTHER_HEADERS.some((name) => hasTokenForm(bare(headers[name])))) return refused(IN_HEADER);
  const tokens = cookieTokens(request);
  if (!tokens) return undefined;
  const [token = "", ...others] = tokens;
  return { token, byCookie: true, others };
}

/** Whose session it is: the first that is not over, where a browser has several cookies. */
export async function viewerOf({ sessions }: Pick<Services, "sessions">, given: Credential | undefined): Promise<Viewer | null> {
  if (given?.token === undefined) return null;
  for (const token of [given.token, ...(given.others ?? [])]) {
    const viewer = await sessions.viewer(token);
    if (viewer) return viewer;
  }
  return null;
}

/** What `connectionParams` say of it: `authorization` or `token`, or the `authorization` of their `headers`, in any letter case. */
export function credentialInParams(params: unknown): Credential | undefined {
  const entries = fieldsOf(params);
  const valueIn = (name: string) => entries.find(([key]) => key.toLowerCase() === name)?.[1];
  const headers = valueIn("headers");
  const given = read(valueIn("authorization")) ?? credentialInHeaders(headers) ?? read(valueIn("token"));
  if (given) return given;
  return entries.some(isToken) ? refused(MISPLACED) : undefined;
}

/** The same of the headers that GraphiQL sends with each operation of a tab. */
export function credentialInHeaders(headers: unknown): Credential | undefined {
  const entries = fieldsOf(headers);
  const given = read(entries.find(([key]) => key.toLowerCase() === "authorization")?.[1]);
  return given ?? (entries.some(isToken) ? refused(MISPLACED) : undefined);
}

/** Whether an operation asks only for what is open to everyone: then it does not matter that the client's session is over. */
export function isOpenToAll(schema: GraphQLSchema, document: DocumentNode, operationName: string | null | undefined): boolean {
  const operation = getOperationAST(document, operationName);
  const fields = operation && schema.getRootType(operation.operation)?.getFields();
  if (!operation || !fields) return false;
  return allRootFields(document, operation).every(
    ({ name: { value } }) => value.startsWith("__") || fields[value]?.extensions.openToAll === true,
  );
}

function read(authorization: unknown): Credential | undefined {
  if (authorization === undefined || authorization === null) return undefined;
  if (typeof authorization !== "string") return refused(UNCLEAR);
  const text = authorization.trim();
  if (text === "") return undefined;
  const [, token] = /^Bearer\s+(\S+)$/i.exec(text) ?? [];
  if (token !== undefined) return { token, byCookie: false };
  return hasTokenForm(text) ? { token: text, byCookie: false } : refused(UNCLEAR);
}

function isToken([name, value]: [string, unknown]): boolean {
  if (value === undefined || value === null || value === "" || plain(name) === "headers") return false;
  return TOKEN_NAME.test(plain(name)) ? !isBlank(value) : hasTokenForm(bare(value));
}

const isBlank = (value: unknown) => typeof value === "string" && value.trim() === "";
const bare = (value: unknown) => (typeof value === "string" ? value.trim().replace(/^Bearer\s+/i, "") : "");
const fieldsOf = (value: unknown) => (typeof value === "object" && value !== null ? Object.entries(value) : []);
const refused = (sentence: string): Credential => ({ token: undefined, refused: sentence });
