import { Extensions } from "type-graphql";

/** How a field is counted before it is worked out, where that is not as usual: see `server/cost`. */
export interface Counted {
  /** Redis commands it needs, if more than one or two; each counts as a value, even when the list is empty. */
  commands?: number;
  /** The same for each room of the viewer's list. */
  commandsPerRoom?: number;
  /** Texts of messages that are read or shown for it, or for each entry of its list. */
  texts?: number;
  /** Texts that are read beyond its list's entries. */
  spareTexts?: number;
  /** Entries of a list without a length to ask for, such as the users of a reaction: as a rule there are few. */
  entries?: number;
  /** It lists the viewer's own rooms, so its length is at most their number. */
  ownRooms?: true;
}

/** Says how a field is counted. */
export const Count = (counted: Counted) => Extensions({ counted });
