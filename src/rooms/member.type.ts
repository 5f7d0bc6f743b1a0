import { Field, Int, ObjectType, registerEnumType } from "type-graphql";
import { PageInfo } from "../api/relay.js";

export enum MemberRole {
  OWNER = "OWNER",
  MEMBER = "MEMBER",
}

registerEnumType(MemberRole, {
  name: "MemberRole",
  description: "The rights of a member in a room.",
  valuesConfig: {
    OWNER: { description: "May rename a group, and add and remove its members." },
    MEMBER: { description: "May read and write, and add others to a group if `membersMayInvite` is true." },
  },
});

@ObjectType({ description: "A user who is in a room." })
export class Member {
  @Field(() => MemberRole, { description: "The user's rights in the room; `MEMBER` for everyone in rooms that are not groups." })
  role!: MemberRole | keyof typeof MemberRole;
}

@ObjectType({ description: "A member of a room, with its cursor." })
export class MemberEdge {
  @Field(() => String, { description: "The value of `after` or `before` to continue the list from here." })
  cursor!: string;

  @Field(() => Member, { description: "The member." })
  node!: Member;
}

@ObjectType({ description: "A page of a room's members." })
export class MemberConnection {
  @Field(() => [MemberEdge], { description: "The members with their cursors." })
  edges!: MemberEdge[];

  @Field(() => [Member], { description: "The members without cursors." })
  nodes!: Member[];

  @Field(() => PageInfo, { description: "Whether there are more pages, and the cursors of this page's ends." })
  pageInfo!: PageInfo;

  @Field(() => Int, { description: "Number of members on all pages." })
  totalCount!: number;
}
