import { Arg, Authorized, Ctx, FieldResolver, ID, Mutation, Resolver, Root, Subscription } from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import { Repeatable } from "../repeatable.js";
import { User } from "../users/user.type.js";
import { AssistantReply } from "./reply.type.js";

@Resolver(() => AssistantReply)
export class AssistantResolver {
  @Authorized()
  @Subscription(() => AssistantReply, {
    description:
      "The assistant's answers in a room as they are written: the one that it writes now, or ended within a minute, as it stands; then whatever is added, at most 20 times a second. Complete, each is a message like any other. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`.",
    subscribe: ({ args, context }: { args: { roomId: string }; context: ViewerContext }) =>
      context.assistant.follow(context.viewer.id, args.roomId),
  })
  assistantReply(
    @Root() reply: AssistantReply,
    @Arg("roomId", () => ID, { description: "The room to watch." }) _roomId: string,
  ): AssistantReply {
    return reply;
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Take back what you have asked the assistant in a room. It stops writing within a second, and what it has written stays, as a message; questions of yours that wait get no answer. Gives whether there was anything of yours; what others asked goes on. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`.",
  })
  cancelReply(
    @Arg("roomId", () => ID, { description: "The room in which you asked." }) roomId: string,
    @Ctx() { viewer, assistant }: ViewerContext,
  ): Promise<boolean> {
    return assistant.cancel(viewer.id, roomId);
  }
}

/** What tells the assistant from people. */
@Resolver(() => User)
export class UserAssistantResolver {
  @FieldResolver(() => Boolean, {
    description:
      "Whether it is the assistant: it answers what is said to it in a private room, and where it is mentioned in a room that it is in.",
  })
  isAssistant(@Root() { id }: User, @Ctx() { assistant }: Context): boolean {
    return id === assistant.id;
  }
}
