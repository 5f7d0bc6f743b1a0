import type { IncomingMessage } from "node:http";
import type { DocumentNode, GraphQLSchema } from "graphql";
import { getOperationAST } from "graphql";
import { type Doorkeeper, hasTokenForm, type Viewer } from "../../api/sessions.js";
import { refusal } from "../../util/errors.js";
import { cookieTokens } from "./cookie.js";
import { allRootFields } from "./root-fields.js";

/** A client's credential: a token, or a sentence that says why it is refused. */
export type Credential =
  /** `others` are tokens to try after `token`, if a browser sends several cookies. */
  { token: string; byCookie: boolean; others?: readonly string[] } | { token: undefined; refused: string };

/** The sentence for a token without a session. */
export const DEAD_TOKEN = "This session has ended, or the token is not from this server. Log in again.";

const UNCLEAR = "The authorization is not valid. Send the session's token as `Bearer TOKEN`.";
const IN_ADDRESS = "A token in the address is not accepted, as addresses are logged. Send `Authorization: Bearer TOKEN`.";
const MISPLACED = "A token in this place is not accepted. Send it as connectionParams.authorization: `Bearer TOKEN`.";
const IN_HEADER = "A token in this header is not accepted. Send `Authorization: Bearer TOKEN`.";

/** Names under which clients commonly send tokens, without dashes and underscores. */
const TOKEN_NAME = /^x?(?:auth|access|session|bearer|id|jwt|user)?token$|^(?:authorization|auth|bearer|jwt|x?apikey|session|sessionid)$/;
const plain = (name: string) => name.toLowerCase().replace(/[-_]/g, "");

/** Headers that are searched for a Palaver token, only to report that it is misplaced; gateways use these headers too. */
const OTHER_HEADERS = ["token", "x-auth-token", "x-access-token", "auth-token", "access-token", "x-token"];

/** The credential of an HTTP request or an upgrade; undefined if it has none. The header takes precedence over the cookie. */
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

/** The viewer whose session this is; null without one. With several cookies, the first whose session is valid. */
export async function viewerOf(doorkeeper: Pick<Doorkeeper, "viewer">, given: Credential | undefined): Promise<Viewer | null> {
  if (given?.token === undefined) return null;
  for (const token of [given.token, ...(given.others ?? [])]) {
    const viewer = await doorkeeper.viewer(token);
    if (viewer) return viewer;
  }
  return null;
}

/** The credential in `connectionParams`: `authorization`, `headers.authorization`, or `token`, in any letter case. */
export function credentialInParams(params: unknown): Credential | undefined {
  const entries = fieldsOf(params);
  const valueIn = (name: string) => entries.find(([key]) => key.toLowerCase() === name)?.[1];
  const headers = valueIn("headers");
  const given = read(valueIn("authorization")) ?? credentialInHeaders(headers) ?? read(valueIn("token"));
  if (given) return given;
  return entries.some(isToken) ? refused(MISPLACED) : undefined;
}

/** The credential in the headers that GraphiQL sends with each operation of a tab. */
export function credentialInHeaders(headers: unknown): Credential | undefined {
  const entries = fieldsOf(headers);
  const given = read(entries.find(([key]) => key.toLowerCase() === "authorization")?.[1]);
  return given ?? (entries.some(isToken) ? refused(MISPLACED) : undefined);
}

/**
 * Refuses an operation whose credential is not valid, or has no session. Operations that are open to everyone run nevertheless.
 * @throws ChatError UNAUTHENTICATED
 */
export function checkCredential(
  schema: GraphQLSchema,
  { document, operationName }: { document: DocumentNode; operationName: string | null },
  given: Credential | undefined,
  viewer: Viewer | null,
): void {
  if (!given || viewer || isOpenToAll(schema, document, operationName)) return;
  throw refusal("UNAUTHENTICATED", given.token === undefined ? given.refused : DEAD_TOKEN);
}

/** Whether all fields of an operation are open to everyone. */
function isOpenToAll(schema: GraphQLSchema, document: DocumentNode, operationName: string | null | undefined): boolean {
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
