import { Field, ID, ObjectType } from "type-graphql";

@ObjectType({ description: "A user starts or stops typing a message." })
export class Typing {
  @Field(() => ID, { description: "The id of the room in which the user is typing." })
  roomId!: string;

  @Field(() => Boolean, {
    description: "Whether the user is typing. False once they send a message, stop, leave, or do not call `setTyping` for 6 seconds.",
  })
  typing!: boolean;
}
