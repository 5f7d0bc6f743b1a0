import { Arg, Authorized, Ctx, FieldResolver, ID, Mutation, Resolver, Root, Subscription } from "type-graphql";
import type { Context, ViewerContext } from "../api/context.js";
import { RoomArg } from "../api/id-args.js";
import { readRoomId } from "../api/ids.js";
import { Repeatable, RepeatableWith } from "../api/repeatable.js";
import { User } from "../users/user.type.js";
import type { RoomId } from "../util/ids.js";
import { AssistantReply } from "./reply.type.js";

@Resolver(() => AssistantReply)
export class AssistantResolver {
  @Authorized()
  @Subscription(() => AssistantReply, {
    description:
      "The assistant's answers in a room as they are written. If one is in progress, or ended within the last minute, the first event has its current state. Later events add text, at most 20 times a second. An answer that ends becomes an ordinary message, unless nothing was written. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`.",
    subscribe: ({ args, context }: { args: { roomId: string }; context: ViewerContext }) =>
      context.assistant.follow(readRoomId(args.roomId, "roomId"), context.viewer.id),
  })
  assistantReply(@Root() reply: AssistantReply, @RoomArg("roomId", { description: "The room to watch." }) _roomId: RoomId): AssistantReply {
    return reply;
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Cancels the viewer's questions to the assistant in a room. The assistant stops writing within a second, and the text written so far stays as a message. Waiting questions get no answer. Other members' questions are not affected. Returns whether there was a question to cancel. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`.",
  })
  cancelReply(
    @RoomArg("roomId", { description: "The room in which the viewer asked." }) roomId: RoomId,
    @Ctx() { viewer, assistant }: ViewerContext,
  ): Promise<boolean> {
    return assistant.cancel(roomId, viewer.id);
  }
}

@Resolver()
export class RetryResolver {
  @Authorized()
  @RepeatableWith(
    "clientRetryId",
    "Check whether the assistant is answering before you ask again. With a clientRetryId, the call can be repeated.",
  )
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Asks the assistant again, after an `incomplete` answer or a question whose answer `FAILED`. The new answer is a new message; the incomplete one stays. Only the user who asked can retry. A retry counts as a send and as a question. Returns whether the question now waits for an answer; false if it has one already. Errors: `NOT_A_MEMBER`, `NOT_FOUND` (also if the question was deleted), `FORBIDDEN`, `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async retryReply(
    @Arg("messageId", () => ID, { description: "The id of an incomplete answer, or of a question without an answer." }) messageId: string,
    @Arg("continue", () => Boolean, {
      nullable: true,
      defaultValue: false,
      description: "True to continue the incomplete answer where it ends; false to answer the question from the beginning.",
    })
    continues: boolean | null | undefined,
    @Arg("clientRetryId", () => ID, {
      nullable: true,
      description: "A string that the client makes for each retry, at most 64 characters. Makes the call idempotent for at least 24 hours.",
    })
    clientRetryId: string | null | undefined,
    @Ctx() { viewer, retries, sendLimit }: ViewerContext,
  ): Promise<boolean> {
    await sendLimit?.take(viewer.id);
    return retries.retry(viewer.id, { messageId, continues: continues ?? false, clientRetryId });
  }
}

/** Distinguishes the assistant from people. */
@Resolver(() => User)
export class UserAssistantResolver {
  @FieldResolver(() => Boolean, {
    description:
      "Whether this user is the assistant. It answers every message in its private rooms, and mentions of it and replies to it in rooms that it is a member of.",
  })
  isAssistant(@Root() { id }: User, @Ctx() { assistant }: Context): boolean {
    return id === assistant.id;
  }
}
