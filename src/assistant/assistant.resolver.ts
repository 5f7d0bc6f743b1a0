import { Arg, Authorized, Ctx, FieldResolver, ID, Mutation, Resolver, Root, Subscription } from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import { Repeatable, RepeatableWith } from "../repeatable.js";
import { User } from "../users/user.type.js";
import { AssistantReply } from "./reply.type.js";

@Resolver(() => AssistantReply)
export class AssistantResolver {
  @Authorized()
  @Subscription(() => AssistantReply, {
    description:
      "The assistant's answers in a room as they are written: the one that it writes now, or ended within a minute, as it stands; then what is added, at most 20 times a second. At its end each is a message like any other, unless nothing was written. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`.",
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

@Resolver()
export class RetryResolver {
  @Authorized()
  @RepeatableWith(
    "clientRetryId",
    "Look whether the assistant answers before you ask again; with a clientRetryId the call can be repeated.",
  )
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Ask the assistant again, after an answer that is `incomplete` or a question whose answer `FAILED`. The answer is a new message; the incomplete one stays. Only the person who asked can do so, and it counts as a send and as a question. Gives whether the question waits now: false where it has its answer. Errors: `NOT_A_MEMBER`, `NOT_FOUND` (also once the question is deleted), `FORBIDDEN`, `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async retryReply(
    @Arg("messageId", () => ID, { description: "The incomplete answer, or the question that got no answer." }) messageId: string,
    @Arg("continue", () => Boolean, {
      nullable: true,
      defaultValue: false,
      description: "Whether the incomplete answer is to be continued where it ends; otherwise the question is answered from the beginning.",
    })
    continues: boolean | null | undefined,
    @Arg("clientRetryId", () => ID, {
      nullable: true,
      description: "Makes the call repeatable for at least 24 hours: a string of your own, at most 64 characters, new for each retry.",
    })
    clientRetryId: string | null | undefined,
    @Ctx() { viewer, retries, sendLimit }: ViewerContext,
  ): Promise<boolean> {
    await sendLimit?.take(viewer.id);
    return retries.retry(viewer.id, { messageId, continues: continues ?? false, clientRetryId });
  }
}

/** What tells the assistant from people. */
@Resolver(() => User)
export class UserAssistantResolver {
  @FieldResolver(() => Boolean, {
    description:
      "Whether it is the assistant: it answers what is said to it in a private room, and mentions of it and replies to it in rooms that it is in.",
  })
  isAssistant(@Root() { id }: User, @Ctx() { assistant }: Context): boolean {
    return id === assistant.id;
  }
}
