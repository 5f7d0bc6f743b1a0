import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, Int, ObjectType } from "type-graphql";
import { Node, PageInfo } from "../api/relay.js";
import type { UserId } from "../util/ids.js";

@ObjectType({ description: "A person with an account, a guest, or the assistant.", implements: Node })
export class User extends Node {
  @Field(() => ID, { description: "The user's id. It never changes, and no other user ever gets it." })
  declare id: UserId;

  @Field(() => String, {
    description:
      "The name to log in with, in any letter case. No two usernames registered here look alike. A guest's username, such as `Ada (guest 8)`, has their name and id; no one can log in with it.",
  })
  username!: string;

  @Field(() => String, {
    description:
      "The display name, which is not unique (see `nameSkeleton`). The username if the user gave no name; `user-` and the id if the username is empty, as demo apps allow.",
  })
  name!: string;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: "When the account was made, or the guest joined; null if unknown (accounts made by a demo app).",
  })
  createdAt!: Date | null;

  @Field(() => Boolean, {
    description:
      "Whether this is a guest: a temporary user without an account (`joinAsGuest`). A guest's messages in shared rooms stay, under this name.",
  })
  guest!: boolean;
}

@ObjectType({ description: "A user in a list, with a cursor." })
export class UserEdge {
  @Field(() => String, { description: "The value of `after` or `before` to continue the list from here." })
  cursor!: string;

  @Field(() => User, { nullable: true, description: "The user; null only if no user has this one of the `ids`." })
  node!: User | null;
}

@ObjectType({ description: "A page of users." })
export class UserConnection {
  @Field(() => [UserEdge], { description: "The users with their cursors." })
  edges!: UserEdge[];

  @Field(() => [User], { nullable: "items", description: "The users without cursors; null only if no user has one of the `ids`." })
  nodes!: (User | null)[];

  @Field(() => PageInfo, { description: "Whether there are more pages, and the cursors of this page's ends." })
  pageInfo!: PageInfo;

  @Field(() => Int, {
    description:
      "How many users have an account, match `search`, or have one of the `ids`. For a search, the number is exact up to 100, and beyond that a lower bound.",
  })
  totalCount!: number;
}
