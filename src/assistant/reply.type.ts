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
  description: "How far an answer of the assistant is.",
  valuesConfig: {
    WRITING: { description: "It grows." },
    DONE: { description: "It is complete, and a message of the room." },
    INCOMPLETE: {
      description: "It ended early, and `problem` says why. What was written is a message of the room, and `Message.incomplete` marks it.",
    },
    CANCELLED: {
      description:
        "Who asked has cancelled it, or the question is gone. What was written until then is a message of the room, if it is anything.",
    },
    FAILED: { description: "There will be no answer; `problem` says why." },
  },
});

@ObjectType({ description: "An answer of the assistant, as it is written." })
export class AssistantReply {
  @Field(() => ID, { description: "The room it is in." })
  roomId!: string;

  @Field(() => ID, { description: "The id of the message that it answers. The message that it becomes has it as its `replyTo`." })
  replyTo!: string;

  @Field(() => String, {
    description: "The answer so far. It may begin again, without what was shown of it: some models tell late that they were only thinking.",
  })
  text!: string;

  @Field(() => String, {
    description: "What of `text` is new since the event before; all of it in a first event, and where the answer was begun anew.",
  })
  delta!: string;

  @Field(() => AssistantReplyState, { description: "How far it is. Every other state than `WRITING` is the last one of this answer." })
  state!: AssistantReplyState | keyof typeof AssistantReplyState;

  @Field(() => String, { nullable: true, description: "A sentence for people, where the state is `INCOMPLETE` or `FAILED`." })
  problem!: string | null;
}
