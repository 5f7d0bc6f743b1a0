import { Arg, Authorized, Ctx, FieldResolver, ID, Mutation, Resolver, Root } from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import { Count } from "../counted.js";
import { Repeatable } from "../repeatable.js";
import { User } from "../users/user.type.js";
import { Message } from "./message.type.js";
import type { ReactionRecord } from "./reaction.js";
import { Reaction } from "./reaction.type.js";
import { MessageDeleted } from "./room-event.type.js";

/** What can be done to a message that is there. */
@Resolver()
export class MessageChangeResolver {
  @Authorized()
  @Repeatable()
  @Mutation(() => Message, {
    nullable: true,
    description:
      "Give a message of one's own another text, however old it is. Its id and its place in the history stay; the text that it has changes nothing. An edit that adds a mention of the assistant asks it. Counts as a send. Errors: `NOT_A_MEMBER`, `NOT_FOUND` (also once it is deleted), `FORBIDDEN` (someone else's, or as of `send`), `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async editMessage(
    @Arg("id", () => ID, { description: "The message." }) id: string,
    @Arg("text", () => String, { description: "What it is to say; as for `send`." }) text: string,
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
      "Delete a message of one's own, or any in a group that one owns; gives its id. Again is fine for at least 24 hours, also for the author of a message that the owner has deleted. Counts as a send. Errors: `NOT_A_MEMBER`, `NOT_FOUND` (also for others once it is deleted), `FORBIDDEN`, `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async deleteMessage(
    @Arg("id", () => ID, { description: "The message." }) id: string,
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
      "Put a reaction to a message, or take one's own away; again changes nothing. A message has at most 20 different ones. Counts as a send. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `FORBIDDEN` as of `send`, `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async react(
    @Arg("messageId", () => ID, { description: "The message." }) messageId: string,
    @Arg("emoji", () => String, { description: "Exactly one emoji: with a skin tone, a flag or several joined to one are fine." })
    emoji: string,
    @Arg("on", () => Boolean, { nullable: true, defaultValue: true, description: "Whether to put it, or to take it away." })
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
  @FieldResolver(() => [User], { description: "The first 100 of them, the first one first; `count` counts all." })
  async users(@Root() { userIds }: ReactionRecord, @Ctx() { load, work }: Context): Promise<User[]> {
    return Promise.all(work.list(userIds).map((id) => load.user.load(id)));
  }
}

@Resolver(() => MessageDeleted)
export class MessageDeletedResolver {
  @FieldResolver(() => User, { description: "Who deleted it: its author, or the owner of the group." })
  by(@Root() { byId }: { byId: string }, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }
}
