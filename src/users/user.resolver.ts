import { Arg, Args, ArgsType, Authorized, Ctx, Extensions, Field, FieldResolver, ID, Int, Query, Resolver, Root } from "type-graphql";
import type { Context } from "../context.js";
import { badInput } from "../errors.js";
import { PageArgs, pageRequest, toConnection } from "../relay.js";
import { isSearch } from "./directory.store.js";
import { checkUserId, type UserRecord } from "./user.store.js";
import { User, UserConnection } from "./user.type.js";

@ArgsType()
class UsersArgs extends PageArgs {
  @Field(() => Int, {
    nullable: true,
    defaultValue: 50,
    description: "The first this many (at most 100) of those after `after`; without effect beside `last`.",
  })
  declare first?: number | null | undefined;

  @Field(() => String, {
    nullable: true,
    description:
      "Only those whose username, or a word of whose name, begins so, whatever the letter case; in the order of these names. At most 64 characters; empty is like none.",
  })
  search?: string | null;
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
  @Query(() => UserConnection, {
    description:
      "Everyone with an account, in order of registration, or with `search` those it finds. Guests are not listed; `user(id:)` finds them. A cursor is good for the same search. Error: `BAD_USER_INPUT`.",
  })
  async users(@Args(() => UsersArgs) { search, ...args }: UsersArgs, @Ctx() { users, directory }: Context): Promise<UserConnection> {
    const pageArgs = { ...args, first: args.last == null ? args.first : null };
    if (isSearch(search)) return directory.search(search, pageArgs);
    const page = await users.page(pageRequest(pageArgs, "start", decodeCursor));
    return { ...toConnection<User>(page, encodeCursor), totalCount: page.totalCount };
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => String, {
    nullable: true,
    description: "The address given at registration; only to the user themself, null for everyone else.",
  })
  email(@Root() user: UserRecord, @Ctx() { viewer }: Context): string | null {
    return viewer?.id === user.id ? user.email : null;
  }

  @FieldResolver(() => Boolean, { description: "Whether any of the user's connections is alive." })
  online(@Root() user: User, @Ctx() { load }: Context): Promise<boolean> {
    return load.online.load(user.id);
  }
}

const encodeCursor = ({ id }: User) => Buffer.from(`user:${id}`).toString("base64url");

function decodeCursor(cursor: string, argument: string): number {
  const id = /^user:([1-9]\d{0,14})$/.exec(Buffer.from(cursor, "base64url").toString())?.[1];
  if (id === undefined || encodeCursor({ id } as User) !== cursor)
    throw badInput(argument, "must be a cursor of `users`, as this API gave it.");
  return Number(id);
}
