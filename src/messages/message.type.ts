import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, ObjectType, registerEnumType } from "type-graphql";
import { Count } from "../counted.js";
import { Node, PageInfo } from "../relay.js";
import { IncompleteReason, type IncompleteReasonName } from "./incomplete.type.js";
import { Reaction } from "./reaction.type.js";

registerEnumType(IncompleteReason, {
  name: "IncompleteReason",
  description: "Why an answer of the assistant is not whole.",
  valuesConfig: {
    TOO_LONG: { description: "It reached the longest length of a message, or of an answer of its model." },
    BROKEN_OFF: { description: "The model failed, or its connection did, before the end." },
    WITHHELD: { description: "A filter of the model withheld the rest." },
    CANCELLED: { description: "The person who asked cancelled it." },
  },
});

@ObjectType({ description: "Something that a user said in a room.", implements: Node })
export class Message extends Node {
  @Field(() => ID, { description: "Opaque; unique over all rooms." })
  declare id: string;

  @Field(() => ID, { description: "The room it is in." })
  roomId!: string;

  @Count({ texts: 1 })
  @Field(() => String, { description: "What was said: plain text, to be escaped where it is shown." })
  text!: string;

  @Field(() => GraphQLDateTime, { description: "When it was stored, by Redis's clock." })
  sentAt!: Date;

  @Field(() => GraphQLDateTime, { nullable: true, description: "When its text was last changed, by Redis's clock; null if it never was." })
  editedAt!: Date | null;

  @Field(() => ID, {
    nullable: true,
    description: "The id of the message that it answers. It stays when that one is deleted; `replyTo` is null then.",
  })
  replyToId!: string | null;

  @Field(() => IncompleteReason, {
    nullable: true,
    description:
      "Why the assistant's answer is not whole; null for a whole answer, and for every message of a person. Unless it was cancelled, its text ends with ` …`. `retryReply` goes on with it, or answers again.",
  })
  incomplete!: IncompleteReasonName | null;

  @Count({ entries: 5 })
  @Field(() => [Reaction], {
    description: "What users put to it, at most 20 different emojis, the first one first.",
  })
  reactions!: Reaction[];

  @Field(() => ID, {
    nullable: true,
    description: "As the sender gave it, so that an optimistic client recognises its own message.",
  })
  clientMessageId!: string | null;
}

@ObjectType({ description: "A message's place in a room's history." })
export class MessageEdge {
  @Field(() => String, { description: "Give it as `after` or `before` to go on from here. It pages through history; it is no `position`." })
  cursor!: string;

  @Field(() => Message, { description: "The message." })
  node!: Message;
}

@ObjectType({ description: "A page of a room's messages, oldest first." })
export class MessageConnection {
  @Field(() => [MessageEdge], { description: "The messages with their cursors." })
  edges!: MessageEdge[];

  @Field(() => [Message], { description: "The messages alone." })
  nodes!: Message[];

  @Field(() => PageInfo, { description: "Where this page stands." })
  pageInfo!: PageInfo;

  @Field(() => String, {
    description:
      "Where the room's events stood when the page was read, in one step: subscribe `after` it, and nothing is missed or repeated.",
  })
  position!: string;
}
