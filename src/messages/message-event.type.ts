import { Field, ID, ObjectType } from "type-graphql";
import { RoomEvent } from "../rooms/room-event.type.js";
import { Message } from "./message.type.js";

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
