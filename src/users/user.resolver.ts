import { Arg, Args, ArgsType, Authorized, Ctx, Extensions, Field, FieldResolver, ID, Query, Resolver, Root } from "type-graphql";
import type { Context } from "../api/context.js";
import { Count } from "../api/counted.js";
import { UserArg } from "../api/id-args.js";
import { ForwardPageArgs, forwards, LONGEST_PAGE, pageRequest, toConnection } from "../api/relay.js";
import { badInput } from "../util/errors.js";
import type { UserId } from "../util/ids.js";
import { isSearch } from "./directory.store.js";
import { lookOf } from "./likeness.js";
import type { UserRecord } from "./user.store.js";
import { User, UserConnection } from "./user.type.js";

@ArgsType()
class UsersArgs extends ForwardPageArgs {
  @Field(() => String, {
    nullable: true,
    description:
      "Only users with a word of their username or name that begins with this text, in the order of these words. In scripts without spaces, a match can begin at any letter. Letter case, accents, variants of letters and a leading `@` are ignored. At most 64 characters; an empty text is the same as none.",
  })
  search?: string | null;

  @Field(() => [ID], {
    nullable: true,
    description:
      "Exactly these users, including guests, in this order; at most 100 ids. Null in place of an id that no user has. Cannot be combined with `search`, `after`, `last` or `before`.",
  })
  ids?: string[] | null;
}

@Resolver(() => User)
export class UserResolver {
  @Query(() => User, { nullable: true, description: "The viewer: the user of this session; null without a session." })
  me(@Ctx() { viewer, load }: Context): Promise<User> | null {
    return viewer && load.user.load(viewer.id);
  }

  @Authorized()
  @Query(() => User, {
    nullable: true,
    description: "The user with this `id` or `username` (give exactly one of the two); null if there is none. Error: `BAD_USER_INPUT`.",
  })
  async user(
    @UserArg("id", { nullable: true, description: "The user's id." }) id: UserId | null | undefined,
    @Arg("username", () => String, { nullable: true, description: "The user's exact username." }) username: string | null | undefined,
    @Ctx() { users }: Context,
  ): Promise<User | null> {
    if ((id == null) === (username == null)) throw badInput("id", "give either `id` or `username`, and not both.");
    const found = id ?? (await users.idOf(username ?? ""));
    if (found === undefined) return null;
    const [user = null] = await users.byIds([found]);
    return user;
  }

  @Authorized()
  @Count({ commands: 500 }) // a search compares many entries
  @Query(() => UserConnection, {
    nullable: true,
    description:
      "All users with an account, in order of registration; with `search`, those that match it; with `ids`, these users. Guests are not listed, but `user(id:)` and `ids` find them. A cursor is valid only for the same search. Error: `BAD_USER_INPUT`.",
  })
  async users(
    @Args(() => UsersArgs) { search, ids, ...args }: UsersArgs,
    @Ctx() { users, directory, work }: Context,
  ): Promise<UserConnection> {
    if (ids != null) {
      if (ids.length > LONGEST_PAGE) throw badInput("ids", `must be at most ${LONGEST_PAGE} ids.`);
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
      "The email address given at registration. Only the user can see it, also in the response that starts their session; null for everyone else.",
  })
  email(@Root() user: UserRecord, @Ctx() { viewer }: Context): string | null {
    return user.ofSession || viewer?.id === user.id ? user.email : null;
  }

  @FieldResolver(() => String, {
    description:
      "The skeleton of the name, to compare and not to display: the same for two names that differ only in letter case or in characters that look alike. Names are not unique: if two users in view have the same skeleton, show `@username` beside their names.",
  })
  nameSkeleton(@Root() { name }: User): string {
    return lookOf(name);
  }
}

/** The connection for `ids`, with null in place of ids that no user has. */
function these(ids: string[], users: (UserRecord | null)[]): UserConnection {
  const edges = users.map((node, index) => ({ cursor: encodeCursor({ id: ids[index] as UserId }), node: node as User | null }));
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
  if (id === undefined || encodeCursor({ id: id as UserId }) !== cursor)
    throw badInput(argument, "must be a cursor that `users` returned.");
  return Number(id);
}
