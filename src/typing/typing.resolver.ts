import { Arg, Authorized, Ctx, FieldResolver, Mutation, Resolver, Root, Subscription } from "type-graphql";
import type { Context, ViewerContext } from "../api/context.js";
import { RoomArg } from "../api/id-args.js";
import { readRoomId } from "../api/ids.js";
import { Repeatable } from "../api/repeatable.js";
import { User } from "../users/user.type.js";
import type { RoomId } from "../util/ids.js";
import type { TypingRecord } from "./typing.store.js";
import { Typing } from "./typing.type.js";

@Resolver(() => Typing)
export class TypingResolver {
  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Shows the other users of a room that the viewer is typing, for 6 seconds; clients repeat the call every few seconds. Sending the message ends it. Returns the value of `typing`. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`, `FORBIDDEN` as in `send`, `RATE_LIMITED` in more than 10 rooms at once.",
  })
  async setTyping(
    @RoomArg("roomId", { description: "The id of the room in which the viewer is typing." }) roomId: RoomId,
    @Arg("typing", () => Boolean, { nullable: true, defaultValue: true, description: "False if the viewer has stopped typing." })
    typing: boolean | null,
    @Ctx() { viewer, typing: typists }: ViewerContext,
  ): Promise<boolean> {
    await typists.set(viewer, roomId, typing ?? true);
    return typing ?? true;
  }

  @Authorized()
  @Subscription(() => Typing, {
    description:
      "Other users who are typing in a room: those who are typing now, then each user who starts or stops. At most 20 users at once. Not stored. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`.",
    subscribe: ({ args, context }: { args: { roomId: string }; context: ViewerContext }) =>
      context.typing.follow(readRoomId(args.roomId, "roomId"), context.viewer.id),
  })
  typing(@Root() typing: TypingRecord, @RoomArg("roomId", { description: "The id of the room to follow." }) _roomId: RoomId): Typing {
    return typing;
  }

  @FieldResolver(() => User, { description: "The user who starts or stops typing." })
  user(@Root() { userId }: TypingRecord, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }
}
