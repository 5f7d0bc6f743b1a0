import { Extensions, Field, Int, ObjectType } from "type-graphql";

@ObjectType({ description: "An emoji that users put to a message." })
export class Reaction {
  @Field(() => String, { description: "The emoji." })
  emoji!: string;

  @Field(() => Int, { description: "How many users put it." })
  count!: number;
}

/** Reactions and users of a reaction are counted as so many where the size of an answer is bounded; most messages have none. */
export const UsuallyFew = () => Extensions({ usually: 5 });
