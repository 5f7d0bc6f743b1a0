import { Arg, Args, ArgsType, Authorized, Ctx, Field, ID, Mutation, Resolver } from "type-graphql";
import type { ViewerContext } from "../context.js";
import { Count } from "../counted.js";
import { Repeatable, RepeatableWith } from "../repeatable.js";
import { Room } from "./room.type.js";

@ArgsType()
class CreateRoomArgs {
  @Field(() => String, {
    description: "1 to 64 characters, of which something shows, without control characters, not beginning or ending with a space.",
  })
  name!: string;

  @Field(() => [ID], { defaultValue: [], description: "Whom to add or invite, beside its owner; at most 100." })
  memberIds!: string[];

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: "Whether members, and not the owner alone, may add others.",
  })
  membersMayInvite?: boolean | null;

  @Field(() => ID, {
    nullable: true,
    description: "Makes the call repeatable: a string of your own, at most 64 characters, new for each group.",
  })
  clientRoomId?: string | null;
}

@ArgsType()
class MemberArgs {
  @Field(() => ID, { description: "The group." })
  roomId!: string;

  @Field(() => ID, { description: "The other user." })
  userId!: string;
}

/** Each of these charges the user for one send, so that they are bounded as messages are. */
@Resolver()
export class GroupResolver {
  @Authorized()
  @RepeatableWith(
    "clientRoomId",
    "Look whether the group is among your rooms before you make it again; with a clientRoomId the call can be repeated.",
  )
  @Count({ commands: 500 }) // each of the first members is looked up
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Make a group, which is yours. Those with whom you share a private room in which both have written, or a group, are in it from the start and get `roomShown` and `MemberJoined`; all others but the assistant are invited. With a `clientRoomId` it can be repeated for at least 24 hours and gives the same group, as it is then. Errors: `BAD_USER_INPUT`, `NOT_FOUND` for an unknown user, `FORBIDDEN` to guests, where someone is in 500 groups, where there are too many open invitations, and for someone who has blocked you, `CLIENT_ROOM_ID_REUSED`, `NOT_A_MEMBER` to a repetition by who has left it since, `RATE_LIMITED`.",
  })
  async createRoom(
    @Args(() => CreateRoomArgs) { membersMayInvite, ...group }: CreateRoomArgs,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    return load.room.load(await groups.create(viewer, { ...group, membersMayInvite: membersMayInvite ?? false }));
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Give a group another name; its owner may. Members get `RoomRenamed`. Errors: `BAD_USER_INPUT`, `NOT_A_MEMBER`, `FORBIDDEN`, `RATE_LIMITED`.",
  })
  async renameRoom(
    @Arg("roomId", () => ID, { description: "The group." }) roomId: string,
    @Arg("name", () => String, { description: "As of `createRoom`." }) name: string,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    await groups.rename(viewer.id, roomId, name);
    return load.room.load(roomId);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Say whether a group's members may add others; its owner may. No event tells of it. Errors: `BAD_USER_INPUT`, `NOT_A_MEMBER`, `FORBIDDEN`, `RATE_LIMITED`.",
  })
  async letMembersInvite(
    @Arg("roomId", () => ID, { description: "The group." }) roomId: string,
    @Arg("on", () => Boolean, { nullable: true, defaultValue: true, description: "Whether they may." }) on: boolean | null,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    await groups.letMembersInvite(viewer.id, roomId, on ?? true);
    return load.room.load(roomId);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Take a user into a group, or invite someone with whom you share neither a private room in which both have written nor a group; its owner may, and its members where `membersMayInvite`. A new member can read what was said before. Again is fine. Errors: `BAD_USER_INPUT`, `NOT_A_MEMBER`, `NOT_FOUND` for an unknown user, `FORBIDDEN` also where the group has 1,000 members, the user is in 500 groups or has blocked you, or too many invitations are open; `RATE_LIMITED`.",
  })
  async addMember(
    @Args(() => MemberArgs) { roomId, userId }: MemberArgs,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    await groups.add(viewer, roomId, userId);
    return load.room.load(roomId);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Remove a user from a group; its owner may. Or withdraw an invitation; its owner may, and the member who made it. What they follow of it ends on every server. Again is fine. Errors: `BAD_USER_INPUT`, `NOT_A_MEMBER`, `FORBIDDEN`, `RATE_LIMITED`.",
  })
  async removeMember(
    @Args(() => MemberArgs) { roomId, userId }: MemberArgs,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    await groups.remove(viewer.id, roomId, userId);
    return load.room.load(roomId);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Leave a group. When its owner leaves, it goes to the member who joined first; when the last member leaves, it is gone. Again is fine: leaving a group that one is not in changes nothing. Always true. Errors: `BAD_USER_INPUT`, `FORBIDDEN`, `RATE_LIMITED`.",
  })
  async leaveRoom(
    @Arg("roomId", () => ID, { description: "The group." }) roomId: string,
    @Ctx() { viewer, groups, sendLimit }: ViewerContext,
  ): Promise<boolean> {
    await sendLimit?.take(viewer.id);
    await groups.leave(viewer.id, roomId);
    return true;
  }
}
