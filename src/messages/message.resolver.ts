import {
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
import type { Context, ViewerContext } from "../api/context.js";
import { Count } from "../api/counted.js";
import { RoomArg } from "../api/id-args.js";
import { readRoomId } from "../api/ids.js";
import { DEFAULT_PAGE, PageArgs } from "../api/relay.js";
import { RepeatableWith } from "../api/repeatable.js";
import { Room } from "../rooms/room.type.js";
import { EventsArgs, followingOf } from "../rooms/room-event.resolver.js";
import { User } from "../users/user.type.js";
import { LONGEST_CLIENT_ID } from "../util/errors.js";
import type { RoomId } from "../util/ids.js";
import { CANDIDATES, SPARE } from "./message.store.js";
import { Message, MessageConnection } from "./message.type.js";
import type { StoredMessage } from "./stored-message.js";

@ArgsType()
class SendArgs {
  @Field(() => ID, { description: "The id of the room to send to." })
  roomId!: string;

  @Field(() => String, {
    description:
      "The text, with at least one visible character. At most 4,000 characters (Unicode code points), unless the server sets another limit; no control characters except tabs and line breaks.",
  })
  text!: string;

  @Field(() => ID, {
    nullable: true,
    description: `Makes retries safe: a string that the client creates for each new message, at most ${LONGEST_CLIENT_ID} characters.`,
  })
  clientMessageId?: string | null;

  @Field(() => ID, { nullable: true, description: "The id of the message in the same room to which this one replies." })
  replyTo?: string | null;
}

@ArgsType()
class MessagePageArgs extends PageArgs {
  @Field(() => ID, {
    nullable: true,
    description:
      "The id of a message to jump to; the page has this message in the middle. `first` or `last` sets the page's length. If the length is even, `first` puts the extra message after it and `last` before it. If one side has too few messages, the page is shorter. Cannot be combined with `after` or `before`.",
  })
  around?: string | null;
}

@ArgsType()
class FollowArgs extends EventsArgs {
  @Field(() => Boolean, { nullable: true, defaultValue: true, description: "Whether to include the viewer's own messages." })
  includeOwn?: boolean | null;
}

@Resolver(() => Message)
export class MessageResolver {
  @Authorized()
  @Count({ commands: 10, texts: 1, spareTexts: SPARE })
  @Query(() => MessageConnection, {
    nullable: true,
    description:
      "A room's messages, oldest first within a page. `last`/`before` page back from the newest message, as a chat window does; `first`/`after` page forward; `around` jumps to a message. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`.",
  })
  async messages(
    @RoomArg("roomId", { description: "The id of the room to read." }) roomId: RoomId,
    @Args(() => MessagePageArgs) page: MessagePageArgs,
    @Ctx() { viewer, messages, work }: ViewerContext,
  ): Promise<MessageConnection> {
    const connection = await work.reading(lengthOf(page), () => messages.page(roomId, viewer.id, page));
    work.read(connection.nodes);
    return connection;
  }

  @Authorized()
  @RepeatableWith(
    "clientMessageId",
    "Check whether the message was stored before you send it again. With a clientMessageId a retry is safe.",
  )
  @Mutation(() => Message, {
    nullable: true,
    description:
      "Sends a message. The call is idempotent for at least 24 hours with a `clientMessageId`. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`, `FORBIDDEN` in a private room in which one user blocks the other, `CLIENT_MESSAGE_ID_REUSED`, `RATE_LIMITED` (also if the message asks the assistant and too many questions are waiting).",
  })
  async send(@Args(() => SendArgs) sending: SendArgs, @Ctx() { viewer, sends, sendLimit }: ViewerContext): Promise<Message> {
    await sendLimit?.take(viewer.id);
    return sends.send(viewer.id, { ...sending, roomId: readRoomId(sending.roomId, "roomId") });
  }

  @Authorized()
  @Subscription(() => Message, {
    description:
      "Messages as they are added to one room, or without `roomId` to every room that the viewer is in now or joins later. After a position the missed messages come first, each in its current state, or as it was sent if it no longer exists. Errors: `NOT_A_MEMBER`, `NOT_FOUND`, `BAD_USER_INPUT`, `HISTORY_RESET`.",
    subscribe: ({ args, context }: { args: FollowArgs; context: ViewerContext }) =>
      context.messages.follow(context.viewer.id, { ...followingOf(args), includeOwn: args.includeOwn ?? true }),
  })
  messageAdded(@Root() message: StoredMessage, @Args(() => FollowArgs) _args: FollowArgs): Message {
    return message;
  }

  @Count({ commands: 5 })
  @FieldResolver(() => String, {
    nullable: true,
    description:
      "Position of the event that added the message, the same wherever the message is read. Subscribe `after` it for the later events of the room. Null once the room's log no longer has that event.",
  })
  position(@Root() { id, position }: StoredMessage, @Ctx() { load }: Context): string | Promise<string | null> {
    return position ?? load.addedAt.load(id);
  }

  @FieldResolver(() => User, { description: "The sender." })
  from(@Root() { fromId }: StoredMessage, @Ctx() { load }: Context): Promise<User> {
    return load.user.load(fromId);
  }

  @Count({ texts: 1 })
  @FieldResolver(() => Message, {
    nullable: true,
    description: "The message to which this one replies, in its current state; null if none, or if deleted (`replyToId` then stays).",
  })
  replyTo(@Root() { replyToId }: StoredMessage, @Ctx() { load }: Context): Promise<Message | null> | null {
    return replyToId === null ? null : load.message.load(replyToId);
  }

  @FieldResolver(() => Room, { description: "The room of the message." })
  room(@Root() { roomId }: StoredMessage, @Ctx() { load }: Context): Promise<Room> {
    return load.room.load(roomId);
  }
}

/** The fields of a room that contain messages. */
@Resolver(() => Room)
export class RoomMessagesResolver {
  @Extensions({ perViewer: true })
  @Count({ commands: 10, texts: 1, spareTexts: SPARE })
  @FieldResolver(() => MessageConnection, {
    nullable: true,
    description: "The room's messages, paged as in the query `messages`, with the same errors.",
  })
  async messages(
    @Root() { id }: Room,
    @Args(() => MessagePageArgs) page: MessagePageArgs,
    @Ctx() { viewer, messages, work }: ViewerContext,
  ): Promise<MessageConnection> {
    const connection = await work.reading(lengthOf(page), () => messages.page(id, viewer.id, page));
    work.read(connection.nodes);
    return connection;
  }

  @Extensions({ perViewer: true })
  @Count({ commands: 5, texts: CANDIDATES })
  @FieldResolver(() => Message, {
    nullable: true,
    description: "The newest message; null for an empty room, and in an event that arrives after the viewer has left the room.",
  })
  async lastMessage(@Root() { id }: Room, @Ctx() { load, ofEvent }: Context): Promise<Message | null> {
    return ofEvent && !(await load.readable.load(id)) ? null : load.newest.load(id);
  }
}

const lengthOf = ({ first, last }: MessagePageArgs) => last ?? first ?? DEFAULT_PAGE;
