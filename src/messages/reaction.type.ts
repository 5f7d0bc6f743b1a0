import { Field, Int, ObjectType } from "type-graphql";

@ObjectType({ description: "An emoji with which users reacted to a message." })
export class Reaction {
  @Field(() => String, { description: "The emoji." })
  emoji!: string;

  @Field(() => Int, { description: "Number of users who reacted with it." })
  count!: number;
}
