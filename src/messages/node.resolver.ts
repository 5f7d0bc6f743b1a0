import { Arg, Authorized, Ctx, ID, Query, Resolver } from "type-graphql";
import type { ViewerContext } from "../api/context.js";
import { Count } from "../api/counted.js";
import { isRoomId } from "../api/ids.js";
import { Node } from "../api/relay.js";
import { Message } from "./message.type.js";
import { parseMessageId, readMessageId } from "./message-id.js";

/** Lookups by id alone. To the viewer, an object that they may not read does not exist. */
@Resolver()
export class NodeResolver {
  @Authorized()
  @Count({ commands: 3, texts: 1 })
  @Query(() => Node, {
    nullable: true,
    description: "The user, room or message with this id; null if it does not exist or the viewer may not read it.",
  })
  async node(
    @Arg("id", () => ID, { description: "The id of a user, room or message." }) id: string,
    @Ctx() context: ViewerContext,
  ): Promise<Node | null> {
    const { viewer, rooms, users, load } = context;
    if (parseMessageId(id)) return readable(id, context);
    if (isRoomId(id) && (await rooms.isReadable(id, viewer.id))) return load.room.load(id);
    const [user = null] = await users.byIds([id]);
    return user;
  }

  @Authorized()
  @Count({ commands: 3, texts: 1 })
  @Query(() => Message, {
    nullable: true,
    description: "A message; null if it does not exist, or is in a room that the viewer is not in. Error: `BAD_USER_INPUT`.",
  })
  message(@Arg("id", () => ID, { description: "The message's id." }) id: string, @Ctx() context: ViewerContext): Promise<Message | null> {
    return readable(readMessageId(id, "id").id, context);
  }
}

async function readable(id: string, { viewer, rooms, load }: ViewerContext): Promise<Message | null> {
  const roomId = parseMessageId(id)?.roomId;
  return roomId !== undefined && (await rooms.isReadable(roomId, viewer.id)) ? load.message.load(id) : null;
}
