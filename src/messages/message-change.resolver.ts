import { Arg, Authorized, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from "type-graphql";
import type { Context, ViewerContext } from "../api/context.js";
import { Count } from "../api/counted.js";
import { Repeatable } from "../api/repeatable.js";
import { User } from "../users/user.type.js";
import type { UserId } from "../util/ids.js";
import { Message } from "./message.type.js";
import { MessageDeleted } from "./message-event.type.js";
import type { ReactionRecord } from "./reaction.js";
import { Reaction } from "./reaction.type.js";

/** Edits, deletions and reactions. */
@Resolver()
export class MessageChangeResolver {
  @Authorized()
  @Repeatable()
  @Mutation(() => Message, {
    nullable: true,
    description:
      "Replaces the text of the viewer's own message, however old it is. The message keeps its id and its place in the history; an edit to the same text changes nothing. An edit that adds a mention of the assistant asks it. Counts as one send. Errors: `NOT_A_MEMBER`, `NOT_FOUND` (also once the message is deleted), `FORBIDDEN` (another user's message, or as in `send`), `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async editMessage(
    @Arg("id", () => ID, { description: "The id of the message to edit." }) id: string,
    @Arg("text", () => String, { description: "The new text; the same rules as in `send`." }) text: string,
    @Ctx() { viewer, messageChanges, sendLimit }: ViewerContext,
  ): Promise<Message> {
    await sendLimit?.take(viewer.id);
    return messageChanges.edit(viewer.id, id, text);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => ID, {
    nullable: true,
    description:
      "Deletes the viewer's own message, or any message in a group that the viewer owns, and returns its id. The call is idempotent for at least 24 hours, also for the author of a message that the group's owner deleted. Counts as one send. Errors: `NOT_A_MEMBER`, `NOT_FOUND` (also for other users once the message is deleted), `FORBIDDEN`, `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async deleteMessage(
    @Arg("id", () => ID, { description: "The id of the message to delete." }) id: string,
    @Ctx() { viewer, messageChanges, sendLimit }: ViewerContext,
  ): Promise<string> {
    await sendLimit?.take(viewer.id);
    return messageChanges.delete(viewer.id, id);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Message, {
    nullable: true,
    description:
      "Adds the viewer's reaction to a message, or removes it. The call is idempotent. A message has at most 20 distinct emoji. Counts as one send. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `FORBIDDEN` as in `send`, `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async react(
    @Arg("messageId", () => ID, { description: "The id of the message to react to." }) messageId: string,
    @Arg("emoji", () => String, { description: "Exactly one emoji; skin tones, flags and joined emoji are allowed." })
    emoji: string,
    @Arg("on", () => Boolean, { nullable: true, defaultValue: true, description: "True to add the reaction, false to remove it." })
    on: boolean | null | undefined,
    @Ctx() { viewer, messageChanges, sendLimit }: ViewerContext,
  ): Promise<Message> {
    await sendLimit?.take(viewer.id);
    return messageChanges.react(viewer.id, messageId, emoji, on ?? true);
  }
}

@Resolver(() => Reaction)
export class ReactionResolver {
  @Count({ entries: 5 })
  @FieldResolver(() => [User], { description: "The first 100 users who reacted, earliest first; `count` counts all." })
  async users(@Root() { userIds }: ReactionRecord, @Ctx() { load, work }: Context): Promise<User[]> {
    return Promise.all(work.list(userIds).map((id) => load.user.load(id)));
  }
}

@Resolver(() => MessageDeleted)
export class MessageDeletedResolver {
  @FieldResolver(() => User, { description: "The user who deleted it: its author, or the owner of the group." })
  by(@Root() { byId }: { byId: UserId }, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }
}
