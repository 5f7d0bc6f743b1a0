import { Field, ID, ObjectType } from "type-graphql";

@ObjectType({ description: "Someone begins to write a message, or stops." })
export class Typing {
  @Field(() => ID, { description: "The room in which they write." })
  roomId!: string;

  @Field(() => Boolean, {
    description: "False when they have sent a message, said that they stop, left, or said nothing of it for 6 seconds.",
  })
  typing!: boolean;
}
