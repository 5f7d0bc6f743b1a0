import { Extensions } from "type-graphql";

/** How to estimate the cost of a field before it runs, where the default does not fit: see `transports/gate/cost`. */
export interface Counted {
  /** Number of Redis commands, if more than one or two; each counts as a value, even if the field's list is empty. */
  commands?: number;
  /** Number of Redis commands for each room of the viewer's list. */
  commandsPerRoom?: number;
  /** Number of message texts read or returned for the field, or for each entry of its list. */
  texts?: number;
  /** Number of texts read in addition to those of the list's entries. */
  spareTexts?: number;
  /** Assumed number of entries of a list without a length argument, such as the users of a reaction: usually few. */
  entries?: number;
  /** The field lists the viewer's own rooms, so it has at most as many entries as the viewer has rooms. */
  ownRooms?: true;
}

/** Sets how the cost of a field is counted. */
export const Count = (counted: Counted) => Extensions({ counted });
