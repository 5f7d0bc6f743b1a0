import { Extensions } from "type-graphql";

/**
 * Marks a root field that needs no session, such as `login`. It also runs for a client with an expired token. The server refuses any other
 * field for such a client, so that the client does not mistake the anonymous answer for that of its session.
 */
export const OpenToAll = () => Extensions({ openToAll: true });
