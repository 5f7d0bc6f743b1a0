import { Arg, Args, ArgsType, Authorized, Ctx, Extensions, Field, FieldResolver, ID, Query, Resolver, Root } from "type-graphql";
import type { Context } from "../context.js";
import { Count } from "../counted.js";
import { badInput } from "../errors.js";
import { ForwardPageArgs, forwards, LONGEST_PAGE, pageRequest, toConnection } from "../relay.js";
import { isSearch } from "./directory.store.js";
import { lookOf } from "./likeness.js";
import { checkUserId, type UserRecord } from "./user.store.js";
import { User, UserConnection } from "./user.type.js";

@ArgsType()
class UsersArgs extends ForwardPageArgs {
  @Field(() => String, {
    nullable: true,
    description:
      "Only those of whose username or name a word begins so, in scripts without spaces from any letter on; in the order of these words. Letter case, accents and variants of letters do not count, nor does an `@` before it. At most 64 characters; empty is like none.",
  })
  search?: string | null;

  @Field(() => [ID], {
    nullable: true,
    description:
      "Exactly these users, guests too, at most 100, in this order; null in the place of an id that is no one's. Not with the others.",
  })
  ids?: string[] | null;
}

@Resolver(() => User)
export class UserResolver {
  @Query(() => User, { nullable: true, description: "The user of this session; null without one." })
  me(@Ctx() { viewer, load }: Context): Promise<User> | null {
    return viewer && load.user.load(viewer.id);
  }

  @Authorized()
  @Query(() => User, { nullable: true, description: "A user by `id` or by `username` (give one of the two); null if there is none." })
  async user(
    @Arg("id", () => ID, { nullable: true, description: "The user's id." }) id: string | null | undefined,
    @Arg("username", () => String, { nullable: true, description: "The user's exact username." }) username: string | null | undefined,
    @Ctx() { users }: Context,
  ): Promise<User | null> {
    if ((id == null) === (username == null)) throw badInput("id", "give either `id` or `username`.");
    if (id != null) checkUserId(id, "id");
    const found = id ?? (await users.idOf(username ?? ""));
    if (found === undefined) return null;
    const [user = null] = await users.byIds([found]);
    return user;
  }

  @Authorized()
  @Count({ commands: 500 }) // a search compares many
  @Query(() => UserConnection, {
    nullable: true,
    description:
      "Everyone with an account, in order of registration, or with `search` those it finds, or with `ids` these. Guests are not listed; `user(id:)` and `ids` find them. A cursor is good for the same search. Error: `BAD_USER_INPUT`.",
  })
  async users(
    @Args(() => UsersArgs) { search, ids, ...args }: UsersArgs,
    @Ctx() { users, directory, work }: Context,
  ): Promise<UserConnection> {
    if (ids != null) {
      if (ids.length > LONGEST_PAGE) throw badInput("ids", `must be at most ${LONGEST_PAGE}.`);
      if (isSearch(search) || args.after != null || args.last != null || args.before != null)
        throw badInput("ids", "cannot be combined with `search`, `after`, `last` or `before`.");
      return these(ids, work.lookedUp(await users.byIds(ids)));
    }
    if (isSearch(search)) return directory.search(search, forwards(args));
    const page = await users.page(pageRequest(forwards(args), "start", decodeCursor));
    work.lookedUp(page.nodes);
    return { ...toConnection<User>(page, encodeCursor), totalCount: page.totalCount };
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => String, {
    nullable: true,
    description:
      "The address given at registration; only to the user, also in the answer that starts their session, and null to everyone else.",
  })
  email(@Root() user: UserRecord, @Ctx() { viewer }: Context): string | null {
    return user.ofSession || viewer?.id === user.id ? user.email : null;
  }

  @FieldResolver(() => String, {
    description:
      "What the name looks like, to be compared and not to be shown: the same for two names that differ only by letter case or by characters that look alike. Names are not unique: where two users in view have the same, show `@username` beside them.",
  })
  nameSkeleton(@Root() { name }: User): string {
    return lookOf(name);
  }

  @FieldResolver(() => Boolean, { description: "Whether any of the user's connections is alive." })
  online(@Root() user: User, @Ctx() { load }: Context): Promise<boolean> {
    return load.online.load(user.id);
  }
}

/** Users asked for by their ids, with null in the place of those who are not there. */
function these(ids: string[], users: (UserRecord | null)[]): UserConnection {
  const edges = users.map((node, index) => ({ cursor: encodeCursor({ id: ids[index] as string }), node: node as User | null }));
  const pageInfo = {
    hasNextPage: false,
    hasPreviousPage: false,
    startCursor: edges.at(0)?.cursor ?? null,
    endCursor: edges.at(-1)?.cursor ?? null,
  };
  return { edges, nodes: users as (User | null)[], pageInfo, totalCount: users.filter((user) => user !== null).length };
}

const encodeCursor = ({ id }: Pick<User, "id">) => Buffer.from(`user:${id}`).toString("base64url");

function decodeCursor(cursor: string, argument: string): number {
  const id = /^user:([1-9]\d{0,14})$/.exec(Buffer.from(cursor, "base64url").toString())?.[1];
  if (id === undefined || encodeCursor({ id }) !== cursor) throw badInput(argument, "must be a cursor of `users`, as this API gave it.");
  return Number(id);
}
