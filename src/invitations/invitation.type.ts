import { Field, ID, ObjectType } from "type-graphql";
import { PageInfo } from "../api/relay.js";

@ObjectType({
  description:
    "An invitation to a group, open for 30 days. The invited user sees no more of the group than this: until they accept, they are not a member, and the group is not among their `rooms`.",
})
export class Invitation {
  @Field(() => ID, { description: "The id of the group." })
  roomId!: string;
}

@ObjectType({ description: "An invitation of the viewer began, or ended because it was accepted, declined or withdrawn." })
export class InvitationChange {
  @Field(() => ID, { description: "The id of the group." })
  roomId!: string;
}

@ObjectType({ description: "An invitation of the viewer, with its cursor." })
export class InvitationEdge {
  @Field(() => String, { description: "The value of `after` to continue the list from here." })
  cursor!: string;

  @Field(() => Invitation, { description: "The invitation." })
  node!: Invitation;
}

@ObjectType({ description: "A page of the viewer's open invitations, newest first." })
export class InvitationConnection {
  @Field(() => [InvitationEdge], { description: "The invitations with their cursors." })
  edges!: InvitationEdge[];

  @Field(() => [Invitation], { description: "The invitations without cursors." })
  nodes!: Invitation[];

  @Field(() => PageInfo, { description: "Whether there are more pages, and the cursors of this page's ends." })
  pageInfo!: PageInfo;
}
