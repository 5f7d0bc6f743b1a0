import {
  Arg,
  Args,
  ArgsType,
  Authorized,
  Ctx,
  Extensions,
  Field,
  FieldResolver,
  ID,
  Mutation,
  Query,
  Resolver,
  Root,
  Subscription,
} from "type-graphql";
import type { Context, ViewerContext } from "../context.js";
import { Count } from "../counted.js";
import { PageArgs } from "../relay.js";
import { RepeatableWith } from "../repeatable.js";
import { Room } from "../rooms/room.type.js";
import { User } from "../users/user.type.js";
import { CANDIDATES, SPARE } from "./message.store.js";
import { Message, MessageConnection } from "./message.type.js";
import type { RoomEventRecord } from "./room-event.js";
import { RoomEvent } from "./room-event.type.js";
import type { StoredMessage } from "./stored-message.js";

@ArgsType()
class SendArgs {
  @Field(() => ID, { description: "The room to send to." })
  roomId!: string;

  @Field(() => String, {
    description:
      "What to say; something of it has to show. At most 4,000 characters (Unicode code points) unless the server is set up otherwise; no control characters but tabs and line breaks.",
  })
  text!: string;

  @Field(() => ID, {
    nullable: true,
    description: "Makes the call repeatable: a string of your own, at most 64 characters, new for each message.",
  })
  clientMessageId?: string | null;

  @Field(() => ID, { nullable: true, description: "A message of the same room that this one answers." })
  replyTo?: string | null;
}

@ArgsType()
class MessagePageArgs extends PageArgs {
  @Field(() => ID, {
    nullable: true,
    description:
      "A message to jump to: the page has it in its middle. `first` or `last` say how long the page is, and on which side the odd one is; a side on which there are fewer is not made up for by the other. Not with `after` or `before`.",
  })
  around?: string | null;
}

@ArgsType()
class EventsArgs {
  @Field(() => ID, { nullable: true, description: "One room; left out, every room the user is in, now or later." })
  roomId?: string | null;

  @Field(() => [String], {
    nullable: true,
    description: "Positions to continue from, at most one per room; rooms without one start now.",
  })
  after?: string[] | null;
}

@ArgsType()
class FollowArgs extends EventsArgs {
  @Field(() => Boolean, { nullable: true, defaultValue: true, description: "Whether the user's own messages come too." })
  includeOwn?: boolean | null;
}

@Resolver(() => Message)
export class MessageResolver {
  @Authorized()
  @Count({ commands: 10, texts: 1, spareTexts: SPARE })
  @Query(() => MessageConnection, {
    nullable: true,
    description:
      "A room's messages, oldest first within a page. `last`/`before` walk back from the newest, as a chat window does; `first`/`after` walk forward; `around` jumps. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`.",
  })
  async messages(
    @Arg("roomId", () => ID, { description: "The room whose messages to read." }) roomId: string,
    @Args(() => MessagePageArgs) page: MessagePageArgs,
    @Ctx() { viewer, messages, work }: ViewerContext,
  ): Promise<MessageConnection> {
    const connection = await messages.page(viewer.id, roomId, page);
    work.read(connection.nodes);
    return connection;
  }

  @Authorized()
  @RepeatableWith(
    "clientMessageId",
    "Look whether the message is there before you send it again; with a clientMessageId a send can be repeated.",
  )
  @Mutation(() => Message, {
    nullable: true,
    description:
      "Send a message. With a `clientMessageId` it can be repeated safely, for at least 24 hours. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`, `FORBIDDEN` in a private room in which one has blocked the other, `CLIENT_MESSAGE_ID_REUSED`, `RATE_LIMITED`, which also says when the assistant is asked and too much waits for it.",
  })
  async send(@Args(() => SendArgs) sending: SendArgs, @Ctx() { viewer, messages, sendLimit, typing }: ViewerContext): Promise<Message> {
    await sendLimit?.take(viewer.id);
    const message = await messages.send(viewer.id, sending);
    typing.sent(viewer.id, sending.roomId);
    return message;
  }

  @Authorized()
  @Subscription(() => Message, {
    description:
      "Messages as they are added: of one room, or without `roomId` of every room the user is in, now or later. After a position those of the past come first, each as it stands now, or as it was sent if it is gone. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`, `HISTORY_RESET`.",
    subscribe: ({ args, context }: { args: FollowArgs; context: ViewerContext }) =>
      context.roomEvents.follow(context.viewer.id, { ...args, includeOwn: args.includeOwn ?? true }),
  })
  messageAdded(@Root() message: StoredMessage, @Args(() => FollowArgs) _args: FollowArgs): Message {
    return message;
  }

  @Authorized()
  @Subscription(() => RoomEvent, {
    description:
      "Everything that happens in a room and is kept; without `roomId`, in every room the user is in, now or later. Errors: as of `messageAdded`.",
    subscribe: ({ args, context }: { args: EventsArgs; context: ViewerContext }) =>
      context.roomEvents.followEvents(context.viewer.id, args),
  })
  roomEvents(@Root() event: RoomEventRecord, @Args(() => EventsArgs) _args: EventsArgs): RoomEvent {
    return event;
  }

  @Count({ commands: 5 })
  @FieldResolver(() => String, {
    nullable: true,
    description:
      "Where the event that added it stands, wherever the message is read: subscribe `after` it for what came later in its room. Null once the room's log has that event no more.",
  })
  position(@Root() { id, position }: StoredMessage, @Ctx() { load }: Context): string | Promise<string | null> {
    return position ?? load.addedAt.load(id);
  }

  @FieldResolver(() => User, { description: "Who sent it." })
  from(@Root() { fromId }: StoredMessage, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(fromId);
  }

  @Count({ texts: 1 })
  @FieldResolver(() => Message, {
    nullable: true,
    description: "The message that it answers, as it is now; null for none, and where that was deleted (then `replyToId` is not).",
  })
  replyTo(@Root() { replyToId }: StoredMessage, @Ctx() { load }: Context): Promise<Message | null> | null {
    return replyToId === null ? null : load.message.load(replyToId);
  }

  @FieldResolver(() => Room, { description: "The room it is in." })
  room(@Root() { roomId }: StoredMessage, @Ctx() { load }: Context): Promise<Room> {
    return load.room.load(roomId);
  }
}

/** What a room tells about its messages. */
@Resolver(() => Room)
export class RoomMessagesResolver {
  @Extensions({ perViewer: true })
  @Count({ commands: 10, texts: 1, spareTexts: SPARE })
  @FieldResolver(() => MessageConnection, {
    nullable: true,
    description: "Its messages, paged as by the query `messages`, with the same errors.",
  })
  async messages(
    @Root() { id }: Room,
    @Args(() => MessagePageArgs) page: MessagePageArgs,
    @Ctx() { viewer, messages, work }: ViewerContext,
  ): Promise<MessageConnection> {
    const connection = await messages.page(viewer.id, id, page);
    work.read(connection.nodes);
    return connection;
  }

  @Count({ commands: 5, texts: CANDIDATES })
  @FieldResolver(() => Message, { nullable: true, description: "Its newest message; null for an empty room." })
  lastMessage(@Root() { id }: Room, @Ctx() { load }: Context): Promise<Message | null> {
    return load.newest.load(id);
  }
}
