import { GraphQLDateTime } from "graphql-scalars";
import {
  Arg,
  Args,
  Authorized,
  Ctx,
  Extensions,
  FieldResolver,
  ID,
  Int,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import { Count } from "../counted.js";
import { FirstArgs, pageRequest, toConnection } from "../relay.js";
import { Repeatable } from "../repeatable.js";
import { User } from "../users/user.type.js";
import {
  decodeInvitationCursor,
  encodeInvitationCursor,
  type InvitationChangeRecord,
  type InvitationRecord,
  LASTS,
} from "./invitation.store.js";
import { Invitation, InvitationChange, InvitationConnection } from "./invitation.type.js";
import type { RoomRecord } from "./room.store.js";
import { Room } from "./room.type.js";

@Resolver(() => Invitation)
export class InvitationResolver {
  @Authorized()
  @Count({ commands: 200 })
  @Query(() => InvitationConnection, {
    nullable: true,
    description:
      "The viewer's open invitations to groups, the newest first; at most 500. A client asks when it connects; `invitationChanged` tells the rest. Error: `BAD_USER_INPUT`.",
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
      "Come into a group to which you are invited. Again is fine. Errors: `BAD_USER_INPUT`, `NOT_FOUND` where no invitation is open, `FORBIDDEN` where you are in 500 groups or the group has 1,000 members, `RATE_LIMITED`.",
  })
  async acceptInvitation(
    @Arg("roomId", () => ID, { description: "The group." }) roomId: string,
    @Ctx() { viewer, groups, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    await groups.accept(viewer.id, roomId);
    return load.room.load(roomId);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Boolean, {
    nullable: true,
    description:
      "Turn an invitation down. Again is fine, and changes nothing, nor where it was accepted or withdrawn. The inviter is not notified. Always true. Errors: `BAD_USER_INPUT`, `FORBIDDEN`, `RATE_LIMITED`.",
  })
  async declineInvitation(
    @Arg("roomId", () => ID, { description: "The group." }) roomId: string,
    @Ctx() { viewer, groups, sendLimit }: ViewerContext,
  ): Promise<boolean> {
    await sendLimit?.take(viewer.id);
    await groups.decline(viewer.id, roomId);
    return true;
  }

  @Authorized()
  @Subscription(() => InvitationChange, {
    description:
      "Invitations of the viewer as they begin and end, on all devices. It is not kept: a client asks for `invitations` when it connects. The same change may come twice.",
    subscribe: ({ context }: { context: ViewerContext }) => context.invitations.follow(context.viewer.id),
  })
  invitationChanged(@Root() change: InvitationChangeRecord): InvitationChange {
    return change;
  }

  @FieldResolver(() => String, { description: "The group's name." })
  roomName(@Root() { roomName }: InvitationRecord): string {
    return roomName;
  }

  @FieldResolver(() => Int, { description: "How many members the group has." })
  memberCount(@Root() { memberCount }: InvitationRecord): number {
    return memberCount;
  }

  @FieldResolver(() => User, { description: "Who is invited." })
  user(@Root() { userId }: InvitationRecord, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }

  @FieldResolver(() => User, { description: "Who invited them." })
  invitedBy(@Root() { byId }: InvitationRecord, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }

  @FieldResolver(() => GraphQLDateTime, { description: "When they were invited." })
  invitedAt(@Root() { at }: InvitationRecord): Date {
    return new Date(at / 1_000);
  }

  @FieldResolver(() => GraphQLDateTime, { description: "When it ends unless they answer." })
  expiresAt(@Root() { at }: InvitationRecord): Date {
    return new Date(at / 1_000 + LASTS * 1_000);
  }
}

@Resolver(() => InvitationChange)
export class InvitationChangeResolver {
  @FieldResolver(() => Invitation, { nullable: true, description: "The invitation as it is now; null where it has ended." })
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
      "Who is invited to a group and has not answered, the newest invitation first: to its owner all of them, to other members those that they made themselves. `removeMember` withdraws one.",
  })
  async invitations(@Root() room: RoomRecord, @Ctx() { viewer, invitations }: Context): Promise<Invitation[]> {
    return room.kind === "GROUP" && viewer ? invitations.seenBy(viewer.id, room) : [];
  }
}
