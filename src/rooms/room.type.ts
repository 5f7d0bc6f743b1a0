import { Field, ID, ObjectType, registerEnumType } from "type-graphql";
import { Node, PageInfo } from "../relay.js";

export enum RoomKind {
  GENERAL = "GENERAL",
  PRIVATE = "PRIVATE",
  GROUP = "GROUP",
}

registerEnumType(RoomKind, {
  name: "RoomKind",
  description: "Who is in a room.",
  valuesConfig: {
    GENERAL: { description: "Everyone with an account." },
    PRIVATE: { description: "Two users, always the same." },
    GROUP: { description: "Those whom its owner, or a member where it allows that, has added, or invited and who accepted." },
  },
});

@ObjectType({ description: "A place where messages are sent.", implements: Node })
export class Room extends Node {
  @Field(() => ID, {
    description: "`0` is the general room; a private room's is both users' ids, a group's is 18 digits, or begins with `group-`.",
  })
  declare id: string;

  @Field(() => RoomKind, { description: "Who is in it." })
  kind!: RoomKind | keyof typeof RoomKind;
}

@ObjectType({ description: "A room's place among the viewer's." })
export class RoomEdge {
  @Field(() => String, { description: "Give it as `after` or `before` to go on from here." })
  cursor!: string;

  @Field(() => Room, { description: "The room." })
  node!: Room;
}

@ObjectType({ description: "A page of the viewer's rooms." })
export class RoomConnection {
  @Field(() => [RoomEdge], { description: "The rooms with their cursors." })
  edges!: RoomEdge[];

  @Field(() => [Room], { description: "The rooms alone." })
  nodes!: Room[];

  @Field(() => PageInfo, { description: "Where this page stands." })
  pageInfo!: PageInfo;
}
