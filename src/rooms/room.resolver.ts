import { Arg, Args, Authorized, Ctx, Extensions, FieldResolver, ID, Mutation, Query, Resolver, Root, Subscription } from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import { Count } from "../counted.js";
import { badInput, refusal } from "../errors.js";
import { ForwardPageArgs, forwards, pageRequest, toConnection } from "../relay.js";
import { Repeatable } from "../repeatable.js";
import { checkUserId } from "../users/user.store.js";
import { User } from "../users/user.type.js";
import type { RoomRecord } from "./room.store.js";
import { Room, RoomConnection } from "./room.type.js";
import { decodeRoomCursor, encodeRoomCursor } from "./room-list.store.js";

@Resolver(() => Room)
export class RoomResolver {
  @Authorized()
  @Count({ commands: 200, ownRooms: true }) // it looks at each room of a page
  @Query(() => RoomConnection, {
    nullable: true,
    description:
      "The rooms of this session's user: the one in which something was said last first, whether it has been deleted since or not. A cursor is a place in time: a room in which something is said while you page moves in front of the pages that you have. Ask for those with `before` the first page's `startCursor`. Error: `BAD_USER_INPUT`.",
  })
  async rooms(
    @Args(() => ForwardPageArgs) args: ForwardPageArgs,
    @Ctx() { viewer, roomList, load }: ViewerContext,
  ): Promise<RoomConnection> {
    const request = pageRequest(forwards(args), "start", decodeRoomCursor);
    const { nodes: places, ...page } = await roomList.page(viewer.id, await load.roomPlaces.load(viewer.id), request);
    const { edges, pageInfo } = toConnection({ ...page, nodes: places }, encodeRoomCursor);
    const nodes = await Promise.all(places.map(({ id }) => load.room.load(id)));
    return { edges: edges.map(({ cursor }, index) => ({ cursor, node: nodes[index] as Room })), nodes, pageInfo };
  }

  @Authorized()
  @Query(() => Room, {
    nullable: true,
    description:
      "A room that this session's user is in; null if there is no such room. Error: `NOT_A_MEMBER`, for groups that are not there too.",
  })
  async room(
    @Arg("id", () => ID, { description: "The room's id." }) id: string,
    @Ctx() { viewer, rooms, load }: ViewerContext,
  ): Promise<Room | null> {
    return (await rooms.exists(viewer.id, id, "id")) ? load.room.load(id) : null;
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "The private room with this user; made on first use. The other side sees it when the first message is sent, and can `block` you. Errors: `NOT_FOUND`, `BAD_USER_INPUT`, `FORBIDDEN` where they have, or you have opened 5,000; `RATE_LIMITED`.",
  })
  async openPrivateRoom(
    @Arg("userId", () => ID, { description: "The other user." }) userId: string,
    @Ctx() { viewer, rooms, users, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    checkUserId(userId, "userId");
    if (userId === viewer.id) throw badInput("userId", "must be another user than yourself.");
    if (!(await users.present([userId])).has(userId)) throw refusal("NOT_FOUND", `There is no user ${userId}.`);
    return load.room.load(await rooms.openPrivate(viewer.id, userId));
  }

  @Authorized()
  @Subscription(() => Room, {
    description: "A room appeared in the user's list: the first message of a private room was sent, or the user came into a group.",
    subscribe: ({ context }: { context: ViewerContext }) => context.rooms.followShown(context.viewer.id),
  })
  roomShown(@Root() { roomId }: { roomId: string }, @Ctx() { load }: Context): Promise<Room> {
    return load.room.load(roomId);
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => String, { description: "The general room's and groups' names; for a private room the other user's." })
  async name(@Root() room: RoomRecord, @Ctx() { viewer, load }: Context): Promise<string> {
    if (room.kind !== "PRIVATE") return room.name;
    const [low, high] = room.userIds;
    return (await load.user.load(viewer?.id === low ? high : low)).name;
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => User, { nullable: true, description: "In a private room the other user; null elsewhere." })
  peer(@Root() room: RoomRecord, @Ctx() { viewer, load }: Context): Promise<User> | null {
    if (room.kind !== "PRIVATE") return null;
    const [low, high] = room.userIds;
    return load.user.load(viewer?.id === low ? high : low);
  }

  @FieldResolver(() => [String], { description: "As in the demo apps: the room's name, or both users' usernames." })
  async names(@Root() room: RoomRecord, @Ctx() { load }: Context): Promise<string[]> {
    if (room.kind !== "PRIVATE") return [room.name];
    return Promise.all(room.userIds.map(async (id) => (await load.user.load(id)).username));
  }

  @Count({ commands: 3 })
  @FieldResolver(() => String, {
    description: "Where the room's events stand now: subscribe `after` it. Opaque; it names its room.",
  })
  position(@Root() { id }: Room, @Ctx() { rooms }: Context): Promise<string> {
    return rooms.position(id);
  }
}
