import { Arg, Authorized, Ctx, FieldResolver, ID, Mutation, Resolver, Root, Subscription } from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import { Repeatable } from "../repeatable.js";
import { User } from "../users/user.type.js";
import type { TypingRecord } from "./typing.store.js";
import { Typing } from "./typing.type.js";

@Resolver(() => Typing)
export class TypingResolver {
  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Tell the others in a room that you write a message: again every few seconds while you do, as it is over after 6 without a word. Sending the message ends it. Gives what it was told. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`, `FORBIDDEN` as of `send`, `RATE_LIMITED` in more than 10 rooms at once.",
  })
  async setTyping(
    @Arg("roomId", () => ID, { description: "The room in which you write." }) roomId: string,
    @Arg("typing", () => Boolean, { nullable: true, defaultValue: true, description: "False to say that you stop." })
    typing: boolean | null,
    @Ctx() { viewer, typing: typists }: ViewerContext,
  ): Promise<boolean> {
    await typists.set(viewer, roomId, typing ?? true);
    return typing ?? true;
  }

  @Authorized()
  @Subscription(() => Typing, {
    description:
      "Who of the others writes a message in a room: those who do now, then everyone who begins or stops; of at most 20 at once. It is kept nowhere. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`.",
    subscribe: ({ args, context }: { args: { roomId: string }; context: ViewerContext }) =>
      context.typing.follow(context.viewer.id, args.roomId),
  })
  typing(@Root() typing: TypingRecord, @Arg("roomId", () => ID, { description: "The room to watch." }) _roomId: string): Typing {
    return typing;
  }

  @FieldResolver(() => User, { description: "Who." })
  user(@Root() { userId }: TypingRecord, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }
}
