import { GraphQLDateTime } from "graphql-scalars";
import { Args, Ctx, Extensions, FieldResolver, Resolver, Root } from "type-graphql";
import type { Context } from "../api/context.js";
import { Count } from "../api/counted.js";
import { ForwardPageArgs, forwards, pageRequest, toConnection } from "../api/relay.js";
import { User } from "../users/user.type.js";
import { decodeMemberCursor, encodeMemberCursor, type MemberRecord } from "./member.store.js";
import { Member, MemberConnection } from "./member.type.js";
import type { RoomRecord } from "./room.js";
import { Room } from "./room.type.js";

@Resolver(() => Room)
export class RoomMembersResolver {
  @Extensions({ perViewer: true })
  @Count({ commands: 100 }) // reads all members of a group
  @FieldResolver(() => MemberConnection, {
    nullable: true,
    description:
      "The room's members in the order of joining; for the general room, every user with an account. Null in an event that arrives after the viewer has left the room. Error: `BAD_USER_INPUT`.",
  })
  async members(
    @Root() room: RoomRecord,
    @Args(() => ForwardPageArgs) args: ForwardPageArgs,
    @Ctx() { members, load, ofEvent }: Context,
  ): Promise<MemberConnection | null> {
    if (ofEvent && !(await load.readable.load(room.id))) return null;
    const page = await members.page(room, pageRequest(forwards(args), "start", decodeMemberCursor));
    return { ...toConnection<MemberRecord>(page, encodeMemberCursor), totalCount: page.totalCount };
  }

  @FieldResolver(() => Boolean, {
    description: "Whether members of a group may add others; if false, only its owner may. False for other rooms.",
  })
  membersMayInvite(@Root() room: RoomRecord): boolean {
    return room.kind === "GROUP" && room.membersMayInvite;
  }
}

@Resolver(() => Member)
export class MemberResolver {
  @FieldResolver(() => User, { description: "The user." })
  user(@Root() { userId }: MemberRecord, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(userId);
  }

  @FieldResolver(() => GraphQLDateTime, {
    nullable: true,
    description: "When the user joined the group; null in rooms that are not groups.",
  })
  joinedAt(@Root() { joined }: MemberRecord): Date | null {
    return joined === 0 ? null : new Date(joined / 1_000);
  }
}
