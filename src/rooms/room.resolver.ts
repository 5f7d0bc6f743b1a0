import { Arg, Authorized, Ctx, Extensions, FieldResolver, ID, Mutation, Query, Resolver, Root, Subscription } from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import { badInput, refusal } from "../errors.js";
import { Repeatable } from "../repeatable.js";
import { checkUserId } from "../users/user.store.js";
import type { RoomRecord } from "./room.store.js";
import { Room } from "./room.type.js";

@Resolver(() => Room)
export class RoomResolver {
  @Authorized()
  @Query(() => [Room], { description: "The rooms of this session's user, the one with the newest message first." })
  async rooms(@Ctx() { viewer, rooms, messages, load }: ViewerContext): Promise<Room[]> {
    const ids = await rooms.idsOf(viewer.id, "listed");
    const newestFirst = await messages.byNewest(ids, (id) => load.newest.load(id));
    return Promise.all(newestFirst.map((id) => load.room.load(id)));
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
    description:
      "The private room with this user; made on first use. The other side sees it when the first message is sent. Errors: `NOT_FOUND`, `BAD_USER_INPUT`, `FORBIDDEN` to who has 5,000 rooms, `RATE_LIMITED`.",
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

  @FieldResolver(() => [String], { description: "As in the demo apps: the room's name, or both users' usernames." })
  async names(@Root() room: RoomRecord, @Ctx() { load }: Context): Promise<string[]> {
    if (room.kind !== "PRIVATE") return [room.name];
    return Promise.all(room.userIds.map(async (id) => (await load.user.load(id)).username));
  }

  @FieldResolver(() => String, {
    description: "Where the room's events stand now: subscribe `after` it. Opaque; it names its room.",
  })
  position(@Root() { id }: Room, @Ctx() { rooms }: Context): Promise<string> {
    return rooms.position(id);
  }
}
