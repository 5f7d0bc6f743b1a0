import { Arg, Authorized, Ctx, ID, Resolver, Root, Subscription } from "type-graphql";
import type { Context } from "../context.js";
import { checkUserId } from "../users/user.store.js";
import { User } from "../users/user.type.js";
import type { Transition } from "./presence.store.js";

@Resolver()
export class PresenceResolver {
  @Authorized()
  @Subscription(() => User, {
    description: "Someone came online or went offline: `online` tells which.",
    subscribe: ({ args, context }: { args: { userIds?: string[] | null }; context: Context }) => {
      for (const id of args.userIds ?? []) checkUserId(id, "userIds");
      return context.presence.follow(args.userIds);
    },
  })
  userOnline(
    @Root() { userId, online }: Transition,
    @Arg("userIds", () => [ID], { nullable: true, description: "Only these users; left out, everyone." }) _userIds: string[] | null,
    @Ctx() { load }: Context,
  ): Promise<User> {
    load.online.prime(userId, online); // what this event says, whatever has happened since
    return load.user.load(userId);
  }
}
