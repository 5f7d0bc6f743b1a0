import { GraphQLDateTime } from "graphql-scalars";
import { Args, Authorized, Ctx, Extensions, FieldResolver, Int, Mutation, Query, Resolver, Root, Subscription } from "type-graphql";
import type { Context, ViewerContext } from "../api/context.js";
import { Count } from "../api/counted.js";
import { RoomArg } from "../api/id-args.js";
import { FirstArgs, pageRequest, toConnection } from "../api/relay.js";
import { Repeatable } from "../api/repeatable.js";
import type { RoomRecord } from "../rooms/room.js";
import { Room } from "../rooms/room.type.js";
import { User } from "../users/user.type.js";
import type { RoomId } from "../util/ids.js";
import {
  decodeInvitationCursor,
  encodeInvitationCursor,
  type InvitationChangeRecord,
  type InvitationRecord,
  LASTS,
} from "./invitation.store.js";
import { Invitation, InvitationChange, InvitationConnection } from "./invitation.type.js";

@Resolver(() => Invitation)
export class InvitationResolver {
  @Authorized()
  @Count({ commands: 200 })
  @Query(() => InvitationConnection, {
    nullable: true,
    description:
      "The viewer's open invitations to groups, newest first; at most 500. Clients query them after they connect and then follow `invitationChanged`. Error: `BAD_USER_INPUT`.",
  })
  async invitations(@Args(() => FirstArgs) args: FirstArgs, @Ctx() { viewer, invitations }: ViewerContext): Promise<InvitationConnection> {
    const page = await invitations.page(viewer.id, pageRequest(args, "start", decodeInvitationCursor));
    return toConnection<InvitationRecord>(page, encodeInvitationCursor);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Accepts an invitation: the viewer joins the group. The call is idempotent. Errors: `BAD_USER_INPUT`, `NOT_FOUND` if no invitation is open, `FORBIDDEN` if the viewer is in 500 groups or the group has 1,000 members, `RATE_LIMITED`.",
  })
  async acceptInvitation(
    @RoomArg("roomId", { description: "The id of the group." }) roomId: RoomId,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    await groups.accept(roomId, viewer.id);
    return load.room.load(roomId);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Declines an invitation. The call is idempotent; changes nothing if the invitation was accepted or withdrawn. The inviter is not notified. Always true. Errors: `BAD_USER_INPUT`, `FORBIDDEN`, `RATE_LIMITED`.",
  })
  async declineInvitation(
    @RoomArg("roomId", { description: "The id of the group." }) roomId: RoomId,
    @Ctx() { viewer, groups, sendLimit }: ViewerContext,
  ): Promise<boolean> {
    await sendLimit?.take(viewer.id);
    await groups.decline(roomId, viewer.id);
    return true;
  }

  @Authorized()
  @Subscription(() => InvitationChange, {
    description:
      "The viewer's invitations as they begin and end, on all devices. Changes are not stored: a client queries `invitations` after it connects. The same change may come twice.",
    subscribe: ({ context }: { context: ViewerContext }) => context.invitations.follow(context.viewer.id),
  })
  invitationChanged(@Root() change: InvitationChangeRecord): InvitationChange {
    return change;
  }

  @FieldResolver(() => String, { description: "The group's name." })
  roomName(@Root() { roomName }: InvitationRecord): string {
    return roomName;
  }

  @FieldResolver(() => Int, { description: "Number of members of the group." })
  memberCount(@Root() { memberCount }: InvitationRecord): number {
    return memberCount;
  }

  @FieldResolver(() => User, { description: "The invited user." })
  user(@Root() { userId }: InvitationRecord, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }

  @FieldResolver(() => User, { description: "The user who made the invitation." })
  invitedBy(@Root() { byId }: InvitationRecord, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }

  @FieldResolver(() => GraphQLDateTime, { description: "When the user was invited, by Redis's clock." })
  invitedAt(@Root() { at }: InvitationRecord): Date {
    return new Date(at / 1_000);
  }

  @FieldResolver(() => GraphQLDateTime, { description: "When the invitation expires, unless the user answers before." })
  expiresAt(@Root() { at }: InvitationRecord): Date {
    return new Date(at / 1_000 + LASTS * 1_000);
  }
}

@Resolver(() => InvitationChange)
export class InvitationChangeResolver {
  @FieldResolver(() => Invitation, { nullable: true, description: "The invitation in its current state; null if it has ended." })
  async invitation(@Root() { roomId, userId }: InvitationChangeRecord, @Ctx() { invitations }: Context): Promise<Invitation | null> {
    return (await invitations.look(roomId, userId)) ?? null;
  }
}

@Resolver(() => Room)
export class RoomInvitationsResolver {
  @Extensions({ perViewer: true })
  @Count({ commands: 50 })
  @FieldResolver(() => [Invitation], {
    description:
      "Open invitations to a group, newest first. The owner sees all of them, other members those that they made. `removeMember` withdraws an invitation. Empty for rooms that are not groups.",
  })
  async invitations(@Root() room: RoomRecord, @Ctx() { viewer, invitations }: Context): Promise<Invitation[]> {
    return room.kind === "GROUP" && viewer ? invitations.seenBy(viewer.id, room) : [];
  }
}
