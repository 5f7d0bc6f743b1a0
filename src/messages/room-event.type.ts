import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, InterfaceType, ObjectType } from "type-graphql";
import { Message } from "./message.type.js";

@InterfaceType({
  description: "Something that happened in a room and is kept. New kinds may come: leave out those you do not know.",
  resolveType: ({ kind }: { kind: keyof typeof TYPES }) => TYPES[kind],
})
export abstract class RoomEvent {
  @Field(() => String, { description: "Where it stands: subscribe `after` it to go on from here. Opaque; it names its room." })
  position!: string;

  @Field(() => ID, { description: "The room in which it happened." })
  roomId!: string;

  @Field(() => GraphQLDateTime, { description: "When it happened, by Redis's clock." })
  at!: Date;
}

@ObjectType({ description: "A message was added.", implements: RoomEvent })
export class MessageAdded extends RoomEvent {
  @Field(() => Message, { description: "The message; to someone who catches up, as it stands now if it is there." })
  message!: Message;

  @Field(() => Boolean, {
    description:
      "Whether its sender has read the room up to it, as by `ReadMoved`. So it is for whoever sends here; what is said in a demo app moves no mark.",
  })
  readBySender!: boolean;
}

@ObjectType({
  description:
    "Someone has read on without saying anything. In private rooms and groups of at most 100 everyone is told; elsewhere one's own devices are, and only live: a client that was away asks for `Room.unreadCount`.",
  implements: RoomEvent,
})
export class ReadMoved extends RoomEvent {
  @Field(() => ID, { description: "The message that they have read up to." })
  upTo!: string;
}

@ObjectType({ description: "A message got another text. Its id and its place in the history stay.", implements: RoomEvent })
export class MessageEdited extends RoomEvent {
  @Field(() => Message, {
    description: "The message as it then stood, reactions included; to someone who catches up, as it stands now if it is there.",
  })
  message!: Message;
}

@ObjectType({ description: "A message was deleted. Replies to it stay.", implements: RoomEvent })
export class MessageDeleted extends RoomEvent {
  @Field(() => ID, { description: "The id that the message had." })
  messageId!: string;
}

@ObjectType({ description: "A user put a reaction to a message, or took it away.", implements: RoomEvent })
export class ReactionChanged extends RoomEvent {
  @Field(() => Message, {
    description: "The message as it then stood, with all its reactions; to someone who catches up, as it stands now if it is there.",
  })
  message!: Message;
}

@ObjectType({ description: "Someone came into a group.", implements: RoomEvent })
export class MemberJoined extends RoomEvent {}

@ObjectType({
  description:
    "Someone left a group, or was removed. Who it is gets this as their last event: a subscription to this room alone then ends with `NOT_A_MEMBER`, one to all rooms goes on without it.",
  implements: RoomEvent,
})
export class MemberLeft extends RoomEvent {}

@ObjectType({ description: "A group has another name.", implements: RoomEvent })
export class RoomRenamed extends RoomEvent {
  @Field(() => String, { description: "Its name from then on." })
  name!: string;
}

/** The type of each kind of event. */
const TYPES = {
  "message.added": "MessageAdded",
  "message.edited": "MessageEdited",
  "message.deleted": "MessageDeleted",
  "reaction.changed": "ReactionChanged",
  "read.moved": "ReadMoved",
  "member.joined": "MemberJoined",
  "member.left": "MemberLeft",
  "room.renamed": "RoomRenamed",
} as const;
