import { Args, ArgsType, Authorized, Ctx, Field, FieldResolver, ID, Resolver, Root, Subscription } from "type-graphql";
import type { Context, ViewerContext } from "../api/context.js";
import { readRoomId } from "../api/ids.js";
import type { RoomEventRecord } from "../api/room-event.js";
import { User } from "../users/user.type.js";
import type { UserId } from "../util/ids.js";
import type { Following } from "./room-event.store.js";
import { MemberJoined, MemberLeft, RoomEvent, RoomRenamed } from "./room-event.type.js";

@ArgsType()
export class EventsArgs {
  @Field(() => ID, { nullable: true, description: "The id of one room; without it, every room that the viewer is in now or joins later." })
  roomId?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: "Positions to resume after, at most one per room; rooms without one start now.",
  })
  after?: string[] | null;
}

/** What a subscription follows, from its arguments. @throws ChatError BAD_USER_INPUT */
export const followingOf = ({ roomId, after }: EventsArgs): Following => ({
  roomId: roomId == null ? undefined : readRoomId(roomId, "roomId"),
  after,
});

@Resolver()
export class RoomEventResolver {
  @Authorized()
  @Subscription(() => RoomEvent, {
    description:
      "All stored events of one room, or without `roomId` of every room that the viewer is in now or joins later. Errors: as in `messageAdded`.",
    subscribe: ({ args, context }: { args: EventsArgs; context: ViewerContext }) =>
      context.roomEvents.followAll(context.viewer.id, followingOf(args)),
  })
  roomEvents(@Root() event: RoomEventRecord, @Args(() => EventsArgs) _args: EventsArgs): RoomEvent {
    return event;
  }
}

interface Deed {
  userId: UserId;
  byId: UserId;
}

@Resolver(() => MemberJoined)
export class MemberJoinedResolver {
  @FieldResolver(() => User, { description: "The new member." })
  user(@Root() { userId }: Deed, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }

  @FieldResolver(() => User, { description: "The user who added or invited them; for the first members, the user who created the room." })
  by(@Root() { byId }: Deed, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }
}

@Resolver(() => MemberLeft)
export class MemberLeftResolver {
  @FieldResolver(() => User, { description: "The user who is no longer a member." })
  user(@Root() { userId }: Deed, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }

  @FieldResolver(() => User, { description: "The user who removed them; the same user if they left." })
  by(@Root() { byId }: Deed, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }

  @FieldResolver(() => User, { nullable: true, description: "The room's new owner if its last owner left; otherwise null." })
  newOwner(@Root() { newOwnerId }: { newOwnerId: string | null }, @Ctx() { load }: Context): Promise<User> | null {
    return newOwnerId === null ? null : load.user.load(newOwnerId);
  }
}

@Resolver(() => RoomRenamed)
export class RoomRenamedResolver {
  @FieldResolver(() => User, { description: "The user who renamed it." })
  by(@Root() { byId }: Deed, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }
}
