import { ArgsType, Field, ID, Int, InterfaceType, ObjectType } from "type-graphql";
import { badInput } from "../util/errors.js";

/** Relay's conventions for a schema: https://relay.dev/graphql/connections.htm and https://relay.dev/graphql/objectidentification.htm */

/** The maximum length of a page. */
export const LONGEST_PAGE = 100;

/** The maximum length of a list without pages. */
export const LONGEST_LIST = 1_000;

/** The length of a page for which no length is given. */
export const DEFAULT_PAGE = 50;

@InterfaceType({
  description: "An object that `node` can look up by its `id` alone.",
  resolveType: (value: object) => ("username" in value ? "User" : "kind" in value ? "Room" : "Message"),
})
export abstract class Node {
  @Field(() => ID, { description: "Unique among all objects, whatever their type." })
  id!: string;
}

@ObjectType({ description: "Whether a list has more pages, and the cursors of this page's ends." })
export class PageInfo {
  @Field(() => Boolean, { description: "Whether more entries follow after this page." })
  hasNextPage!: boolean;

  @Field(() => Boolean, { description: "Whether more entries come before this page." })
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true, description: "The cursor of the page's first entry; null for an empty page." })
  startCursor!: string | null;

  @Field(() => String, { nullable: true, description: "The cursor of the page's last entry; null for an empty page." })
  endCursor!: string | null;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, description: "The number of entries to return from the start, after `after`; at most 100." })
  first?: number | null | undefined;

  @Field(() => String, { nullable: true, description: "Only entries after this cursor." })
  after?: string | null | undefined;

  @Field(() => Int, { nullable: true, description: "The number of entries to return from the end, before `before`; at most 100." })
  last?: number | null | undefined;

  @Field(() => String, { nullable: true, description: "Only entries before this cursor." })
  before?: string | null | undefined;
}

/** The arguments of a list that is read from its start unless `last` is given. */
@ArgsType()
export class ForwardPageArgs extends PageArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: DEFAULT_PAGE,
    description: "The number of entries to return from the start, after `after`; at most 100. Ignored if `last` is given.",
  })
  declare first?: number | null | undefined;
}

/** The arguments of a list that is read in one direction only, such as newest first. */
@ArgsType()
export class FirstArgs {
  @Field(() => Int, { nullable: true, defaultValue: DEFAULT_PAGE, description: "The maximum number of entries to return; at most 100." })
  first?: number | null | undefined;

  @Field(() => String, { nullable: true, description: "Only entries after this cursor." })
  after?: string | null | undefined;
}

/** The request for a page: the end of the list to start from, the page's length, and the cursors between which it lies. */
export interface PageRequest<Cursor> {
  from: "start" | "end";
  limit: number;
  after: Cursor | undefined;
  before: Cursor | undefined;
}

export interface Page<Node> {
  nodes: Node[];
  hasNextPage: boolean;
  hasPreviousPage: boolean;
}

export interface Connection<Node> {
  edges: { cursor: string; node: Node }[];
  nodes: Node[];
  pageInfo: PageInfo;
}

/**
 * Checks the arguments of a page. Without `first` and `last` the result is the default page from `defaultFrom`.
 * @param decode parses a cursor, or throws BAD_USER_INPUT that names the given argument
 * @throws ChatError BAD_USER_INPUT
 */
export function pageRequest<Cursor>(
  { first, after, last, before }: PageArgs,
  defaultFrom: "start" | "end",
  decode: (cursor: string, argument: string) => Cursor,
): PageRequest<Cursor> {
  if (first != null && last != null) throw badInput("last", "cannot be combined with `first`. Give only one of the two.");
  for (const [argument, value] of [
    ["first", first],
    ["last", last],
  ] as const) {
    if (value != null && (value < 0 || value > LONGEST_PAGE)) throw badInput(argument, `must be from 0 to ${LONGEST_PAGE}.`);
  }
  return {
    from: first != null ? "start" : last != null ? "end" : defaultFrom,
    limit: first ?? last ?? DEFAULT_PAGE,
    after: after == null ? undefined : decode(after, "after"),
    before: before == null ? undefined : decode(before, "before"),
  };
}

/** Converts these arguments to those of a page: `last` overrides the default of `first`. */
export const forwards = (args: ForwardPageArgs): PageArgs => ({ ...args, first: args.last == null ? args.first : null });

/**
 * A page of a list whose entries have to be looked up and may no longer exist. Each round looks up as many entries as the page lacks; if
 * many no longer exist, the rounds grow.
 * @param places all entries, in the list's order
 * @param compare orders two places as the list does
 * @param lookUp returns the entry at each of the places, undefined if it no longer exists
 */
export async function lookUpPage<Place, Node>(
  places: readonly Place[],
  { from, limit, after, before }: PageRequest<Place>,
  compare: (one: Place, other: Place) => number,
  lookUp: (places: Place[]) => Promise<(Node | undefined)[]>,
): Promise<Page<Node>> {
  const isBetween = (place: Place) => (!after || compare(place, after) > 0) && (!before || compare(place, before) < 0);
  const between = places.filter(isBetween);
  if (from === "end") between.reverse();

  const found: Node[] = [];
  for (let index = 0; index < between.length && found.length <= limit; ) {
    const some = between.slice(index, index + Math.max(limit + 1 - found.length, index));
    found.push(...(await lookUp(some)).filter((node) => node !== undefined));
    index += some.length;
  }
  const more = found.length > limit;
  const nodes = found.slice(0, limit);
  return from === "start"
    ? { nodes, hasNextPage: more, hasPreviousPage: after !== undefined && places.some((place) => compare(place, after) <= 0) }
    : {
        nodes: nodes.reverse(),
        hasNextPage: before !== undefined && places.some((place) => compare(place, before) >= 0),
        hasPreviousPage: more,
      };
}

export function toConnection<Node>(
  { nodes, hasNextPage, hasPreviousPage }: Page<Node>,
  cursorOf: (node: Node) => string,
): Connection<Node> {
  const edges = nodes.map((node) => ({ cursor: cursorOf(node), node }));
  return {
    edges,
    nodes,
    pageInfo: { hasNextPage, hasPreviousPage, startCursor: edges.at(0)?.cursor ?? null, endCursor: edges.at(-1)?.cursor ?? null },
  };
}
