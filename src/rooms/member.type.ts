import { Field, Int, ObjectType, registerEnumType } from "type-graphql";
import { PageInfo } from "../relay.js";

export enum MemberRole {
  OWNER = "OWNER",
  MEMBER = "MEMBER",
}

registerEnumType(MemberRole, {
  name: "MemberRole",
  description: "What someone may do with a room.",
  valuesConfig: {
    OWNER: { description: "Renames a group, adds and removes members." },
    MEMBER: { description: "Reads and writes; adds others to a group that lets members invite." },
  },
});

@ObjectType({ description: "Someone who is in a room." })
export class Member {
  @Field(() => MemberRole, { description: "What they may do with it; outside groups everyone is a member." })
  role!: MemberRole | keyof typeof MemberRole;
}

@ObjectType({ description: "A member's place among a room's." })
export class MemberEdge {
  @Field(() => String, { description: "Give it as `after` or `before` to go on from here." })
  cursor!: string;

  @Field(() => Member, { description: "The member." })
  node!: Member;
}

@ObjectType({ description: "A page of a room's members." })
export class MemberConnection {
  @Field(() => [MemberEdge], { description: "The members with their cursors." })
  edges!: MemberEdge[];

  @Field(() => [Member], { description: "The members alone." })
  nodes!: Member[];

  @Field(() => PageInfo, { description: "Where this page stands." })
  pageInfo!: PageInfo;

  @Field(() => Int, { description: "How many there are in all." })
  totalCount!: number;
}
