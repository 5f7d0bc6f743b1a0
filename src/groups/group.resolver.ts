import { Arg, Args, ArgsType, Authorized, Ctx, Field, ID, Mutation, Resolver } from "type-graphql";
import type { ViewerContext } from "../api/context.js";
import { Count } from "../api/counted.js";
import { RoomArg, UserArg } from "../api/id-args.js";
import { readUserId } from "../api/ids.js";
import { Repeatable, RepeatableWith } from "../api/repeatable.js";
import { Room } from "../rooms/room.type.js";
import { LONGEST_NAME } from "../users/user.store.js";
import { LONGEST_CLIENT_ID } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";

@ArgsType()
class CreateRoomArgs {
  @Field(() => String, {
    description: `1 to ${LONGEST_NAME} characters, at least one of them visible, without control characters, and without a space at the start or end.`,
  })
  name!: string;

  @Field(() => [ID], { defaultValue: [], description: "Ids of the users to add or invite, besides the owner; at most 100." })
  memberIds!: string[];

  @Field(() => Boolean, {
    nullable: true,
    defaultValue: false,
    description: "Whether members may add others. If false, only the owner may.",
  })
  membersMayInvite?: boolean | null;

  @Field(() => ID, {
    nullable: true,
    description: `Makes retries safe: a string that the client creates for each new group, at most ${LONGEST_CLIENT_ID} characters.`,
  })
  clientRoomId?: string | null;
}

/** Each of these mutations charges the user for one send, so that they have the same rate limit as messages. */
@Resolver()
export class GroupResolver {
  @Authorized()
  @RepeatableWith(
    "clientRoomId",
    "Check whether the group is among your rooms before you create it again. With a clientRoomId a retry is safe.",
  )
  @Count({ commands: 500 }) // looks up each of the first members
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Creates a group that the viewer owns. Users who share a group, or a private room in which both have written, with the viewer become members at once and get `roomShown` and `MemberJoined`; so does the assistant. All other users are invited. With a `clientRoomId` the call is idempotent for at least 24 hours: a retry returns the same group in its current state. Errors: `BAD_USER_INPUT`, `NOT_FOUND` for an unknown user, `FORBIDDEN` if the viewer is a guest, if a user is in 500 groups, if too many invitations are open, or if the viewer blocks one of the users or is blocked by one, `CLIENT_ROOM_ID_REUSED`, `NOT_A_MEMBER` on a retry if the viewer has left the group, `RATE_LIMITED`.",
  })
  async createRoom(
    @Args(() => CreateRoomArgs) { membersMayInvite, ...group }: CreateRoomArgs,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    return load.room.load(
      await groups.create(viewer, {
        ...group,
        memberIds: group.memberIds.map((id) => readUserId(id, "memberIds")),
        membersMayInvite: membersMayInvite ?? false,
      }),
    );
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Renames a group. Only its owner may. Members get `RoomRenamed`. Errors: `BAD_USER_INPUT`, `NOT_A_MEMBER`, `FORBIDDEN`, `RATE_LIMITED`.",
  })
  async renameRoom(
    @RoomArg("roomId", { description: "The id of the group." }) roomId: RoomId,
    @Arg("name", () => String, { description: "The new name; the same rules as in `createRoom`." }) name: string,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    await groups.rename(roomId, viewer.id, name);
    return load.room.load(roomId);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Sets whether a group's members may add others. Only its owner may. It causes no event. Errors: `BAD_USER_INPUT`, `NOT_A_MEMBER`, `FORBIDDEN`, `RATE_LIMITED`.",
  })
  async letMembersInvite(
    @RoomArg("roomId", { description: "The id of the group." }) roomId: RoomId,
    @Arg("on", () => Boolean, { nullable: true, defaultValue: true, description: "Whether members may add others." }) on: boolean | null,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    await groups.letMembersInvite(roomId, viewer.id, on ?? true);
    return load.room.load(roomId);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Adds a user to a group, or invites a user who shares neither a group nor a private room in which both have written with the viewer. The owner may, and members may if `membersMayInvite` is true. A new member can read the earlier messages. The call is idempotent. Errors: `BAD_USER_INPUT`, `NOT_A_MEMBER`, `NOT_FOUND` for an unknown user, `FORBIDDEN` (also if the group has 1,000 members, if the user is in 500 groups, if the viewer or the user blocks the other, or if too many invitations are open), `RATE_LIMITED`.",
  })
  async addMember(
    @RoomArg("roomId", { description: "The id of the group." }) roomId: RoomId,
    @UserArg("userId", { description: "The id of the other user." }) userId: UserId,
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
      "Removes a user from a group, or withdraws an invitation. The owner may do both; other members may withdraw invitations that they made. The removed user's subscriptions to the group end on every server. The call is idempotent. Errors: `BAD_USER_INPUT`, `NOT_A_MEMBER`, `FORBIDDEN`, `RATE_LIMITED`.",
  })
  async removeMember(
    @RoomArg("roomId", { description: "The id of the group." }) roomId: RoomId,
    @UserArg("userId", { description: "The id of the other user." }) userId: UserId,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    await groups.remove(roomId, viewer.id, userId);
    return load.room.load(roomId);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Leaves a group. If the owner leaves, the member who joined first becomes the owner; if the last member leaves, the group is deleted. The call is idempotent: leaving a group that the viewer is not in changes nothing. Always true. Errors: `BAD_USER_INPUT`, `FORBIDDEN`, `RATE_LIMITED`.",
  })
  async leaveRoom(
    @RoomArg("roomId", { description: "The id of the group." }) roomId: RoomId,
    @Ctx() { viewer, groups, sendLimit }: ViewerContext,
  ): Promise<boolean> {
    await sendLimit?.take(viewer.id);
    await groups.leave(roomId, viewer.id);
    return true;
  }
}
