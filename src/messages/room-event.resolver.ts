import { Ctx, FieldResolver, Resolver, Root } from "type-graphql";
import type { Context } from "../context.js";
import { User } from "../users/user.type.js";
import { MemberJoined, MemberLeft, RoomRenamed } from "./room-event.type.js";

interface Deed {
  userId: string;
  byId: string;
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
