declare const kind: unique symbol;

/**
 * A string that is known to be an id of this kind: it was parsed where it came in, or read from where only such ids are stored. The compiler
 * does not accept one kind for another.
 */
type Id<Kind extends string> = string & { readonly [kind]: Kind };

export type RoomId = Id<"room">;
export type UserId = Id<"user">;
