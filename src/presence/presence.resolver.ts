import { Arg, Authorized, Ctx, FieldResolver, ID, Int, Query, Resolver, Root, Subscription } from "type-graphql";
import type { Context } from "../api/context.js";
import { Count } from "../api/counted.js";
import { readUserId } from "../api/ids.js";
import { LONGEST_LIST } from "../api/relay.js";
import { User } from "../users/user.type.js";
import { badInput } from "../util/errors.js";
import type { Transition } from "./transitions.js";

const MOST_FOLLOWED = 1_000; // users that one subscription can name

@Resolver()
export class PresenceResolver {
  @Authorized()
  @Count({ commands: 50 })
  @Query(() => [User], {
    nullable: true,
    description:
      "The users who are online, in order of registration; if more than `first` are online, any `first` of them. For the users on screen, query `User.online` and subscribe to `userOnline(userIds:)`. Error: `BAD_USER_INPUT`.",
  })
  async onlineUsers(
    @Arg("first", () => Int, { nullable: true, defaultValue: LONGEST_LIST, description: "The maximum number of users, from 1 to 1,000." })
    first: number | null,
    @Ctx() { presence, load, users }: Context,
  ): Promise<User[]> {
    const most = first ?? LONGEST_LIST;
    if (most < 1 || most > LONGEST_LIST) throw badInput("first", `must be from 1 to ${LONGEST_LIST}.`);
    const ids = await presence.online(most);
    for (const id of ids) load.online.prime(id, true);
    return (await users.byIds(ids)).filter((user) => user !== null); // a demo app may add any id
  }

  @Authorized()
  @Subscription(() => User, {
    description:
      "A user who came online or went offline; `online` says which. With `userIds`, events arrive at once. Without, they arrive in portions of at most 100 every quarter of a second, and omit users who came and went in between. Error: `BAD_USER_INPUT`.",
    subscribe: ({ args, context }: { args: { userIds?: string[] | null }; context: Context }) => {
      const userIds = args.userIds && [...new Set(args.userIds.map((id) => readUserId(id, "userIds")))];
      if (userIds && userIds.length > MOST_FOLLOWED) throw badInput("userIds", `must be at most ${MOST_FOLLOWED} ids.`);
      return context.transitions.follow(userIds);
    },
  })
  userOnline(
    @Root() { userId, online }: Transition,
    @Arg("userIds", () => [ID], { nullable: true, description: "Only these users, at most 1,000; all users if omitted." })
    _userIds: string[] | null,
    @Ctx() { load }: Context,
  ): Promise<User> {
    load.online.prime(userId, online); // the state at the event, even if it has changed since
    return load.user.load(userId);
  }
}

@Resolver(() => User)
export class UserOnlineResolver {
  @FieldResolver(() => Boolean, { description: "Whether the user has a live connection, or had one a moment ago." })
  online(@Root() user: User, @Ctx() { load }: Context): Promise<boolean> {
    return load.online.load(user.id);
  }
}
