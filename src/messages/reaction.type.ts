import { Field, Int, ObjectType } from "type-graphql";

@ObjectType({ description: "An emoji that users put to a message." })
export class Reaction {
  @Field(() => String, { description: "The emoji." })
  emoji!: string;

  @Field(() => Int, { description: "How many users put it." })
  count!: number;
}
