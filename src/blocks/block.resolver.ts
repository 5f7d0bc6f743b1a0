import { Args, Authorized, Ctx, Extensions, Field, FieldResolver, Mutation, ObjectType, Query, Resolver, Root } from "type-graphql";
import type { Context, ViewerContext } from "../api/context.js";
import { Count } from "../api/counted.js";
import { UserArg } from "../api/id-args.js";
import { FirstArgs, PageInfo, pageRequest, toConnection } from "../api/relay.js";
import { Repeatable } from "../api/repeatable.js";
import { User, UserEdge } from "../users/user.type.js";
import type { UserId } from "../util/ids.js";
import { decodeBlockCursor, encodeBlockCursor } from "./block.store.js";

@ObjectType({ description: "A page of the users whom the viewer blocks, most recently blocked first." })
class BlockedUserConnection {
  @Field(() => [UserEdge], { description: "The users with their cursors." })
  edges!: UserEdge[];

  @Field(() => [User], { description: "The users without cursors." })
  nodes!: User[];

  @Field(() => PageInfo, { description: "Whether there are more pages, and the cursors of this page's ends." })
  pageInfo!: PageInfo;
}

@Resolver(() => User)
export class BlockResolver {
  @Authorized()
  @Count({ commands: 100 })
  @Query(() => BlockedUserConnection, {
    nullable: true,
    description: "The users whom the viewer blocks, most recently blocked first. Error: `BAD_USER_INPUT`.",
  })
  async blockedUsers(
    @Args(() => FirstArgs) args: FirstArgs,
    @Ctx() { viewer, blocks, load }: ViewerContext,
  ): Promise<BlockedUserConnection> {
    const { edges: places, pageInfo } = toConnection(
      await blocks.page(viewer.id, pageRequest(args, "start", decodeBlockCursor)),
      encodeBlockCursor,
    );
    const edges = await Promise.all(places.map(async ({ cursor, node }) => ({ cursor, node: await load.user.load(node.userId) })));
    return { edges, nodes: edges.map(({ node }) => node), pageInfo };
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => User, {
    nullable: true,
    description:
      "Blocks a user. Neither of the two can then write in their private room, and the blocked user can neither open it, nor add the viewer to a group or invite them. The room leaves the viewer's list unless the viewer opened it or wrote in it. Later mentions of the viewer by the blocked user do not count. Messages of the blocked user in shared rooms stay. The blocked user is not notified. The call is idempotent. Errors: `BAD_USER_INPUT`, `NOT_FOUND`, `FORBIDDEN` beyond 1,000 users, `RATE_LIMITED`.",
  })
  async block(
    @UserArg("userId", { description: "The id of the user to block." }) userId: UserId,
    @Ctx() { viewer, blocks, sendLimit, load }: ViewerContext,
  ): Promise<User> {
    await sendLimit?.take(viewer.id);
    await blocks.block(viewer.id, userId);
    return load.user.load(userId);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => User, {
    nullable: true,
    description: "Undoes `block`. The call is idempotent. Errors: `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async unblock(
    @UserArg("userId", { description: "The id of the user to unblock." }) userId: UserId,
    @Ctx() { viewer, blocks, sendLimit, load }: ViewerContext,
  ): Promise<User> {
    await sendLimit?.take(viewer.id);
    await blocks.unblock(viewer.id, userId);
    return load.user.load(userId);
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => Boolean, { description: "Whether the viewer blocks this user." })
  async blocked(@Root() { id }: User, @Ctx() { viewer, acquaintances }: Context): Promise<boolean> {
    return viewer !== null && acquaintances.blocks(viewer.id, id);
  }
}
