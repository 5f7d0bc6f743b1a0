import { Arg, Authorized, Ctx, Extensions, FieldResolver, ID, Int, Mutation, Resolver, Root } from "type-graphql";
import type { Context, ViewerContext } from "../api/context.js";
import { Repeatable } from "../api/repeatable.js";
import type { MemberRecord } from "../rooms/member.store.js";
import { Member } from "../rooms/member.type.js";
import { Room } from "../rooms/room.type.js";
import { User } from "../users/user.type.js";
import type { RoomId, UserId } from "../util/ids.js";
import { ReadMoved } from "./read-event.js";

/** Read markers and unread counts. */
@Resolver(() => Room)
export class ReadResolver {
  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Moves the viewer's read marker up to and including this message. The marker never moves back, whichever device calls. The viewer's other devices get `ReadMoved`; in private rooms and in groups of at most 100 members, every member gets it. The rate limit is as high as that of `send`, and separate from it. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async markRead(
    @Arg("messageId", () => ID, { description: "The id of the newest message that the viewer has seen." }) messageId: string,
    @Ctx() { viewer, reads, markLimit, load }: ViewerContext,
  ): Promise<Room> {
    await markLimit?.take(viewer.id);
    return load.room.load(await reads.mark(viewer.id, messageId));
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => Int, {
    description:
      "Number of messages by other users after the viewer's read marker, which the viewer's own messages move too; without a marker in a group, since the viewer joined. Costs the same however many they are.",
  })
  async unreadCount(@Root() { id }: Room, @Ctx() { load }: ViewerContext): Promise<number> {
    return (await load.unread.load(id)).messages;
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => Int, { description: "Number of the unread messages that mention the viewer." })
  async unreadMentions(@Root() { id }: Room, @Ctx() { load }: ViewerContext): Promise<number> {
    return (await load.unread.load(id)).mentions;
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => ID, { nullable: true, description: "The viewer's read marker: the id of the last message read; null if none." })
  async readUpTo(@Root() { id }: Room, @Ctx() { load }: ViewerContext): Promise<string | null> {
    return (await load.unread.load(id)).readUpTo;
  }
}

@Resolver(() => Member)
export class MemberReadResolver {
  @FieldResolver(() => ID, {
    nullable: true,
    description: "The member's read marker: the id of the last message read; null if none, and in rooms that are open to all.",
  })
  readUpTo(@Root() member: MemberRecord, @Ctx() { load }: Context): Promise<string | null> {
    return load.readUpTo.load(member);
  }
}

@Resolver(() => ReadMoved)
export class ReadMovedResolver {
  @FieldResolver(() => User, { description: "The user whose read marker moved." })
  user(@Root() { userId }: { userId: UserId }, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }

  @FieldResolver(() => Room, { description: "The room, for example to query what is still unread: `room { unreadCount }`." })
  room(@Root() { roomId }: { roomId: RoomId }, @Ctx() { load }: Context): Promise<Room> {
    return load.room.load(roomId);
  }
}
