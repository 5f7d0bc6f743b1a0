import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, ObjectType, registerEnumType } from "type-graphql";
import { Count } from "../api/counted.js";
import { Node, PageInfo } from "../api/relay.js";
import { IncompleteReason, type IncompleteReasonName } from "./incomplete.type.js";
import { Reaction } from "./reaction.type.js";

registerEnumType(IncompleteReason, {
  name: "IncompleteReason",
  description: "Why an answer of the assistant is incomplete.",
  valuesConfig: {
    TOO_LONG: { description: "The answer reached the maximum length of a message, or of the model's answers." },
    BROKEN_OFF: { description: "The model, or the connection to it, failed before the end." },
    WITHHELD: { description: "A filter of the model withheld the rest of the answer." },
    CANCELLED: { description: "The user who asked cancelled the answer." },
  },
});

@ObjectType({ description: "A message in a room.", implements: Node })
export class Message extends Node {
  @Field(() => ID, { description: "Opaque; unique across all rooms." })
  declare id: string;

  @Field(() => ID, { description: "The id of the message's room." })
  roomId!: string;

  @Count({ texts: 1 })
  @Field(() => String, { description: "Plain text; clients must escape it for display." })
  text!: string;

  @Field(() => GraphQLDateTime, { description: "When the message was stored, by Redis's clock." })
  sentAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: "When the text was last changed, by Redis's clock; null if never." })
  editedAt!: Date | null;

  @Field(() => ID, {
    nullable: true,
    description: "The id of the message to which this one replies; null if none. It stays if that message is deleted, unlike `replyTo`.",
  })
  replyToId!: string | null;

  @Field(() => IncompleteReason, {
    nullable: true,
    description:
      "Why the assistant's answer is incomplete; null for a complete answer, and for every user's message. The text of an incomplete answer ends with ` …` unless it was cancelled. `retryReply` continues the answer, or answers again.",
  })
  incomplete!: IncompleteReasonName | null;

  @Count({ entries: 5 })
  @Field(() => [Reaction], {
    description: "Reactions, oldest emoji first; at most 20 distinct emoji.",
  })
  reactions!: Reaction[];

  @Field(() => ID, {
    nullable: true,
    description: "The sender's id for the message, by which an optimistic client recognises its own message; null if none was given.",
  })
  clientMessageId!: string | null;
}

@ObjectType({ description: "A message with its cursor in the room's history." })
export class MessageEdge {
  @Field(() => String, { description: "The value of `after` or `before` to page through history from here. Not a `position`." })
  cursor!: string;

  @Field(() => Message, { description: "The message." })
  node!: Message;
}

@ObjectType({ description: "A page of a room's messages, oldest first." })
export class MessageConnection {
  @Field(() => [MessageEdge], { description: "The messages with their cursors." })
  edges!: MessageEdge[];

  @Field(() => [Message], { description: "The messages without cursors." })
  nodes!: Message[];

  @Field(() => PageInfo, { description: "Whether there are more pages, and the cursors of this page's ends." })
  pageInfo!: PageInfo;

  @Field(() => String, {
    description:
      "The room's position in the event log, read atomically with the page. Subscribe `after` it, and no event is missed or repeated.",
  })
  position!: string;
}
