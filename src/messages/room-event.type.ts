import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, InterfaceType, ObjectType } from "type-graphql";
import { Message } from "./message.type.js";

@InterfaceType({
  description: "A stored event of a room. New types may be added; clients should ignore types that they do not know.",
  resolveType: ({ kind }: { kind: keyof typeof TYPES }) => TYPES[kind],
})
export abstract class RoomEvent {
  @Field(() => String, { description: "Position of the event. Subscribe `after` it to resume from here. Opaque; names its room." })
  position!: string;

  @Field(() => ID, { description: "The id of the room in which it happened." })
  roomId!: string;

  @Field(() => GraphQLDateTime, { description: "When it happened, by Redis's clock." })
  at!: Date;
}

@ObjectType({ description: "A message was added.", implements: RoomEvent })
export class MessageAdded extends RoomEvent {
  @Field(() => Message, { description: "The message; for a subscriber that catches up, in its current state if it exists." })
  message!: Message;

  @Field(() => Boolean, {
    description:
      "Whether the event also moves the sender's read marker to the message, as `ReadMoved` would. True for messages sent through this API; a message from a demo app moves no marker.",
  })
  readBySender!: boolean;
}

@ObjectType({
  description:
    "A user's read marker moved without a message of theirs. In private rooms and in groups of at most 100 members, every member gets this event. Elsewhere only the user's own devices get it, and only live: a client that was away queries `Room.unreadCount`.",
  implements: RoomEvent,
})
export class ReadMoved extends RoomEvent {
  @Field(() => ID, { description: "The id of the last message that the user has read." })
  upTo!: string;
}

@ObjectType({ description: "A message's text changed. Its id and its place in the history stay.", implements: RoomEvent })
export class MessageEdited extends RoomEvent {
  @Field(() => Message, {
    description: "The message after the edit, with its reactions; for a subscriber that catches up, in its current state if it exists.",
  })
  message!: Message;
}

@ObjectType({ description: "A message was deleted. Replies to it stay.", implements: RoomEvent })
export class MessageDeleted extends RoomEvent {
  @Field(() => ID, { description: "The id of the deleted message." })
  messageId!: string;
}

@ObjectType({ description: "A user added a reaction to a message, or removed one.", implements: RoomEvent })
export class ReactionChanged extends RoomEvent {
  @Field(() => Message, {
    description: "The message after the change, with its reactions; for a subscriber that catches up, in its current state if it exists.",
  })
  message!: Message;
}

@ObjectType({ description: "A user joined a group.", implements: RoomEvent })
export class MemberJoined extends RoomEvent {}

@ObjectType({
  description:
    "A user left a group, or was removed. It is the last event of the group that this user gets: a subscription to this room alone then ends with `NOT_A_MEMBER`, and a subscription to all rooms continues without it.",
  implements: RoomEvent,
})
export class MemberLeft extends RoomEvent {}

@ObjectType({ description: "A group was renamed.", implements: RoomEvent })
export class RoomRenamed extends RoomEvent {
  @Field(() => String, { description: "The new name." })
  name!: string;
}

/** The GraphQL type of each kind of event. */
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
