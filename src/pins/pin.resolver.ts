import { GraphQLDateTime } from "graphql-scalars";
import { Arg, Authorized, Ctx, Extensions, Field, FieldResolver, ID, Mutation, ObjectType, Resolver, Root } from "type-graphql";
import type { Context, ViewerContext } from "../api/context.js";
import { Count } from "../api/counted.js";
import { Repeatable } from "../api/repeatable.js";
import { Message } from "../messages/message.type.js";
import { Room } from "../rooms/room.type.js";
import { User } from "../users/user.type.js";
import type { UserId } from "../util/ids.js";
import { MOST_PINS, type PinRecord } from "./pin.store.js";
import { MessagePinned, MessageUnpinned } from "./pin-event.js";

@ObjectType({ description: "A pinned message." })
class Pin {
  @Field(() => Message, { description: "The message." })
  message!: Message;

  @Field(() => GraphQLDateTime, { description: "When it was pinned, by Redis's clock." })
  at!: Date;
}

@Resolver(() => Pin)
export class PinResolver {
  @Authorized()
  @Repeatable()
  @Mutation(() => Message, {
    nullable: true,
    description:
      "Pins a message in its room, for all members to find; at most 100 in a room. The call is idempotent, and counts as one send. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `FORBIDDEN` (in the general room, in a private room in which one user blocks the other, or if there are 100), `BAD_USER_INPUT`, `RATE_LIMITED`.",
  })
  async pinMessage(
    @Arg("messageId", () => ID, { description: "The id of the message." }) messageId: string,
    @Ctx() { viewer, pins, sendLimit }: ViewerContext,
  ): Promise<Message | null> {
    await sendLimit?.take(viewer.id);
    return pins.set(viewer.id, messageId, true);
  }

  @Authorized()
  @Repeatable()
  @Mutation(() => Message, {
    nullable: true,
    description:
      "Unpins a message, including one that another user pinned. Null if the message was deleted. The call is idempotent, and counts as one send. Errors: as in `pinMessage`.",
  })
  async unpinMessage(
    @Arg("messageId", () => ID, { description: "The id of the message." }) messageId: string,
    @Ctx() { viewer, pins, sendLimit }: ViewerContext,
  ): Promise<Message | null> {
    await sendLimit?.take(viewer.id);
    return pins.set(viewer.id, messageId, false);
  }

  @FieldResolver(() => User, { description: "The user who pinned it." })
  by(@Root() { byId }: PinRecord, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }
}

@Resolver(() => Room)
export class RoomPinsResolver {
  @Extensions({ perViewer: true })
  @Count({ commands: 5, texts: 1, entries: MOST_PINS })
  @FieldResolver(() => [Pin], {
    nullable: true,
    description:
      "The pinned messages, the latest pin first; at most 100. Null in an event that arrives after the viewer has left the room.",
  })
  async pins(@Root() { id }: Room, @Ctx() { pins, load, work, ofEvent }: Context): Promise<readonly PinRecord[] | null> {
    if (ofEvent && !(await load.readable.load(id))) return null;
    const found = await work.reading(MOST_PINS, () => pins.of(id));
    work.read(found.map(({ message }) => message));
    return work.list(found);
  }
}

@Resolver(() => MessagePinned)
export class MessagePinnedResolver {
  @FieldResolver(() => User, { description: "The user who pinned it." })
  by(@Root() { byId }: { byId: UserId }, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }
}

@Resolver(() => MessageUnpinned)
export class MessageUnpinnedResolver {
  @FieldResolver(() => User, { description: "The user who unpinned it." })
  by(@Root() { byId }: { byId: UserId }, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(byId);
  }
}
