import { Arg, Authorized, Ctx, Extensions, FieldResolver, ID, Int, Mutation, Resolver, Root } from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import { Repeatable } from "../repeatable.js";
import type { MemberRecord } from "../rooms/member.store.js";
import { Member } from "../rooms/member.type.js";
import { Room } from "../rooms/room.type.js";
import { User } from "../users/user.type.js";
import { ReadMoved } from "./room-event.type.js";

/** How far the viewer has read. */
@Resolver(() => Room)
export class ReadResolver {
  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Read up to and including this message. Never moves back, whichever device says so. Other devices get `ReadMoved`, and in private rooms and groups of at most 100 everyone does. It can be called as often as `send`, and beside it. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async markRead(
    @Arg("messageId", () => ID, { description: "The newest message that was seen." }) messageId: string,
    @Ctx() { viewer, reads, markLimit, load }: ViewerContext,
  ): Promise<Room> {
    await markLimit?.take(viewer.id);
    return load.room.load(await reads.mark(viewer.id, messageId));
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => Int, {
    description:
      "Messages of others after the viewer's last read, or last message; in a group that they have not read, after they came in. Costs the same for 5 as for 500,000.",
  })
  async unreadCount(@Root() { id }: Room, @Ctx() { load }: ViewerContext): Promise<number> {
    return (await load.unread.load(id)).messages;
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => Int, { description: "Those of the unread messages that mention the viewer." })
  async unreadMentions(@Root() { id }: Room, @Ctx() { load }: ViewerContext): Promise<number> {
    return (await load.unread.load(id)).mentions;
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => ID, { nullable: true, description: "The message that the viewer has read up to; null before the first." })
  async readUpTo(@Root() { id }: Room, @Ctx() { load }: ViewerContext): Promise<string | null> {
    return (await load.unread.load(id)).readUpTo;
  }
}

@Resolver(() => Member)
export class MemberReadResolver {
  @FieldResolver(() => ID, {
    nullable: true,
    description: "The message that they have read up to; null before the first, and in rooms that are open to all.",
  })
  readUpTo(@Root() member: MemberRecord, @Ctx() { load }: Context): Promise<string | null> {
    return load.readUpTo.load(member);
  }
}

@Resolver(() => ReadMoved)
export class ReadMovedResolver {
  @FieldResolver(() => User, { description: "Who has read on." })
  user(@Root() { userId }: { userId: string }, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }

  @FieldResolver(() => Room, { description: "The room, to ask what is left unread in it: `room { unreadCount }`." })
  room(@Root() { roomId }: { roomId: string }, @Ctx() { load }: Context): Promise<Room> {
    return load.room.load(roomId);
  }
}
