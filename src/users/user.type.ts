import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, Int, ObjectType } from "type-graphql";
import { Node, PageInfo } from "../relay.js";

@ObjectType({ description: "Someone who can send messages.", implements: Node })
export class User extends Node {
  @Field(() => ID, { description: "Never changes, and is never given to another user." })
  declare id: string;

  @Field(() => String, {
    description:
      "The name to log in with, in any letter case. No two that were made here look alike. A guest's, such as `Ada (guest 8)`, is their name and id: no one can log in with it.",
  })
  username!: string;

  @Field(() => String, {
    description:
      "What to show, which others may share (see `nameSkeleton`); the username where none was given, or `user-5` where that is empty, as a demo app allows.",
  })
  name!: string;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: "When the account was made, or a guest came; null where that is not known (accounts made by a demo app).",
  })
  createdAt!: Date | null;

  @Field(() => Boolean, {
    description: "Here without an account, for a while (`joinAsGuest`). What a guest has said in shared rooms stays, under this name.",
  })
  guest!: boolean;
}

@ObjectType({ description: "A user's place in a list of users." })
export class UserEdge {
  @Field(() => String, { description: "Give it as `after` or `before` to go on from here." })
  cursor!: string;

  @Field(() => User, { nullable: true, description: "The user; null only where one of the `ids` is no one's." })
  node!: User | null;
}

@ObjectType({ description: "A page of users." })
export class UserConnection {
  @Field(() => [UserEdge], { description: "The users with their cursors." })
  edges!: UserEdge[];

  @Field(() => [User], { nullable: "items", description: "The users alone; null only where one of the `ids` is no one's." })
  nodes!: (User | null)[];

  @Field(() => PageInfo, { description: "Where this page stands." })
  pageInfo!: PageInfo;

  @Field(() => Int, {
    description:
      "How many users there are with an account, that the search finds, or that have one of the `ids`. Of a search exact up to 100, beyond that a lower bound.",
  })
  totalCount!: number;
}
