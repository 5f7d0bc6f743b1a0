import { Extensions } from "type-graphql";

/**
 * Marks a root field that needs no session, such as `login`: it runs for a client whose token is over, too. Any other field is refused
 * then, so that no one takes the answer for that of their session.
 */
export const OpenToAll = () => Extensions({ openToAll: true });
