import { Field, ID, ObjectType } from "type-graphql";
import { PageInfo } from "../relay.js";

@ObjectType({
  description:
    "Someone is invited to a group, for 30 days. This is all that they see of the group: they are not in it, and it is not among their `rooms`, before they accept.",
})
export class Invitation {
  @Field(() => ID, { description: "The group." })
  roomId!: string;
}

@ObjectType({ description: "The viewer's invitation to a group began, or ended: was accepted, declined or withdrawn." })
export class InvitationChange {
  @Field(() => ID, { description: "The group." })
  roomId!: string;
}

@ObjectType({ description: "An invitation's place among the viewer's." })
export class InvitationEdge {
  @Field(() => String, { description: "Give it as `after` to go on from here." })
  cursor!: string;

  @Field(() => Invitation, { description: "The invitation." })
  node!: Invitation;
}

@ObjectType({ description: "A page of the viewer's open invitations, the newest first." })
export class InvitationConnection {
  @Field(() => [InvitationEdge], { description: "The invitations with their cursors." })
  edges!: InvitationEdge[];

  @Field(() => [Invitation], { description: "The invitations alone." })
  nodes!: Invitation[];

  @Field(() => PageInfo, { description: "Where this page stands." })
  pageInfo!: PageInfo;
}
