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
  @FieldResolver(() => User, { description: "Who came in." })
  user(@Root() { userId }: Deed, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }

  @FieldResolver(() => User, { description: "Who added or invited them; who made the room, for the first members." })
  by(@Root() { byId }: Deed, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }
}

@Resolver(() => MemberLeft)
export class MemberLeftResolver {
  @FieldResolver(() => User, { description: "Who is in the room no longer." })
  user(@Root() { userId }: Deed, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }

  @FieldResolver(() => User, { description: "Who removed them; they themself, where they left." })
  by(@Root() { byId }: Deed, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }

  @FieldResolver(() => User, { nullable: true, description: "Who owns the room from then on, where its last owner left." })
  newOwner(@Root() { newOwnerId }: { newOwnerId: string | null }, @Ctx() { load }: Context): Promise<User> | null {
    return newOwnerId === null ? null : load.user.load(newOwnerId);
  }
}

@Resolver(() => RoomRenamed)
export class RoomRenamedResolver {
  @FieldResolver(() => User, { description: "Who renamed it." })
  by(@Root() { byId }: Deed, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }
}
