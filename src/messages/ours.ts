/** Marks Palaver's messages: no demo app stores a space before the last brace, whatever its clients send. Scripts have it in `ours.lua`. */
export const OURS = " }";

/** The fields of a message in the form in which `message_send` stores them. */
export const asOurs = (fields: object) => JSON.stringify(fields).replace(/\}$/, OURS);
