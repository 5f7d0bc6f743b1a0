import { Field, ID, ObjectType, registerEnumType } from "type-graphql";

export enum AssistantReplyState {
  WRITING = "WRITING",
  DONE = "DONE",
  INCOMPLETE = "INCOMPLETE",
  CANCELLED = "CANCELLED",
  FAILED = "FAILED",
}

registerEnumType(AssistantReplyState, {
  name: "AssistantReplyState",
  description: "The state of an answer of the assistant.",
  valuesConfig: {
    WRITING: { description: "The assistant is writing it." },
    DONE: { description: "It is complete, and a message of the room has its text." },
    INCOMPLETE: {
      description: "It ended early; `problem` says why. The text written so far is a message of the room, with `Message.incomplete` set.",
    },
    CANCELLED: {
      description: "The user who asked cancelled it, or the question is gone. The text written so far, if any, is a message of the room.",
    },
    FAILED: { description: "There will be no answer; `problem` says why." },
  },
});

@ObjectType({ description: "An answer of the assistant as it is written." })
export class AssistantReply {
  @Field(() => ID, { description: "The id of the room." })
  roomId!: string;

  @Field(() => ID, { description: "The id of the message that it answers. The message that the answer becomes has the same `replyTo`." })
  replyTo!: string;

  @Field(() => String, {
    description: "The answer so far. It may restart without the earlier text: some models reveal late that the text was only reasoning.",
  })
  text!: string;

  @Field(() => String, {
    description: "The part of `text` that is new since the previous event; all of it in the first event, and when the answer restarts.",
  })
  delta!: string;

  @Field(() => AssistantReplyState, { description: "The state of the answer. Every state except `WRITING` is final." })
  state!: AssistantReplyState | keyof typeof AssistantReplyState;

  @Field(() => String, { nullable: true, description: "A sentence for users if the state is `INCOMPLETE` or `FAILED`; otherwise null." })
  problem!: string | null;
}
