import { Args, Authorized, Ctx, Extensions, FieldResolver, Mutation, Query, Resolver, Root, Subscription } from "type-graphql";
import type { Context, ViewerContext } from "../api/context.js";
import { Count } from "../api/counted.js";
import { RoomArg, UserArg } from "../api/id-args.js";
import { ForwardPageArgs, forwards, pageRequest, toConnection } from "../api/relay.js";
import { Repeatable } from "../api/repeatable.js";
import { User } from "../users/user.type.js";
import { badInput, refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import type { RoomRecord } from "./room.js";
import { Room, RoomConnection } from "./room.type.js";
import { decodeRoomCursor, encodeRoomCursor } from "./room-list.store.js";

@Resolver(() => Room)
export class RoomResolver {
  @Authorized()
  @Count({ commands: 200, ownRooms: true }) // checks each room of a page
  @Query(() => RoomConnection, {
    nullable: true,
    description:
      "The viewer's rooms, those with the latest message first, even if that message has since been deleted. A cursor is a point in time: a room that gets a message during paging moves before the first page. To get such rooms, query `before` the first page's `startCursor`. Error: `BAD_USER_INPUT`.",
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
      "A room that the viewer is in; null if it does not exist. Errors: `BAD_USER_INPUT`, `NOT_A_MEMBER` (also for groups that do not exist).",
  })
  async room(
    @RoomArg("id", { description: "The room's id." }) id: RoomId,
    @Ctx() { viewer, rooms, load }: ViewerContext,
  ): Promise<Room | null> {
    return (await rooms.exists(id, viewer.id, "id")) ? load.room.load(id) : null;
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Room, {
    nullable: true,
    description:
      "Returns the viewer's private room with another user, and creates it on first use. The other user sees the room when its first message is sent, and can `block` the viewer. The call is idempotent. Errors: `NOT_FOUND`, `BAD_USER_INPUT`, `FORBIDDEN` if the other user blocks the viewer or the viewer has opened 5,000 rooms, `RATE_LIMITED`.",
  })
  async openPrivateRoom(
    @UserArg("userId", { description: "The id of the other user." }) userId: UserId,
    @Ctx() { viewer, rooms, users, sendLimit, load }: ViewerContext,
  ): Promise<Room> {
    await sendLimit?.take(viewer.id);
    if (userId === viewer.id) throw badInput("userId", "must be a user other than yourself.");
    if (!(await users.present([userId])).has(userId)) throw refusal("NOT_FOUND", `There is no user ${userId}.`);
    return load.room.load(await rooms.openPrivate(viewer.id, userId));
  }

  @Authorized()
  @Subscription(() => Room, {
    description:
      "Rooms that appear in the viewer's list: private rooms that get their first message, and groups that the viewer joins. Not stored: a client queries `rooms` after it connects.",
    subscribe: ({ context }: { context: ViewerContext }) => context.rooms.followShown(context.viewer.id),
  })
  roomShown(@Root() { roomId }: { roomId: RoomId }, @Ctx() { load }: Context): Promise<Room> {
    return load.room.load(roomId);
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => String, { description: "The name of the room; for a private room, the other user's name." })
  async name(@Root() room: RoomRecord, @Ctx() { viewer, load }: Context): Promise<string> {
    if (room.kind !== "PRIVATE") return room.name;
    const [low, high] = room.userIds;
    return (await load.user.load(viewer?.id === low ? high : low)).name;
  }

  @Extensions({ perViewer: true })
  @FieldResolver(() => User, { nullable: true, description: "The other user of a private room; null for other rooms." })
  peer(@Root() room: RoomRecord, @Ctx() { viewer, load }: Context): Promise<User> | null {
    if (room.kind !== "PRIVATE") return null;
    const [low, high] = room.userIds;
    return load.user.load(viewer?.id === low ? high : low);
  }

  @FieldResolver(() => [String], { description: "As in the demo apps: the room's name, or the usernames of both users of a private room." })
  async names(@Root() room: RoomRecord, @Ctx() { load }: Context): Promise<string[]> {
    if (room.kind !== "PRIVATE") return [room.name];
    return Promise.all(room.userIds.map(async (id) => (await load.user.load(id)).username));
  }

  @Count({ commands: 3 })
  @FieldResolver(() => String, {
    description: "The room's current position in the event log: subscribe `after` it for later events. Opaque; names its room.",
  })
  position(@Root() { id }: Room, @Ctx() { rooms }: Context): Promise<string> {
    return rooms.position(id);
  }
}
