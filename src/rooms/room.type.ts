import { Field, ID, ObjectType, registerEnumType } from "type-graphql";
import { Node, PageInfo } from "../api/relay.js";
import type { RoomId } from "../util/ids.js";

export enum RoomKind {
  GENERAL = "GENERAL",
  PRIVATE = "PRIVATE",
  GROUP = "GROUP",
}

registerEnumType(RoomKind, {
  name: "RoomKind",
  description: "The kind of a room, which determines who is in it.",
  valuesConfig: {
    GENERAL: { description: "Open to every user." },
    PRIVATE: { description: "Two users, who never change." },
    GROUP: { description: "The owner, and the users who were added or accepted an invitation." },
  },
});

@ObjectType({ description: "A room for messages: general, private or a group.", implements: Node })
export class Room extends Node {
  @Field(() => ID, {
    description: "`0` for the general room; both users' ids, such as `1:2`, for a private room; 18 digits or `group-…` for a group.",
  })
  declare id: RoomId;

  @Field(() => RoomKind, { description: "The kind of the room." })
  kind!: RoomKind | keyof typeof RoomKind;
}

@ObjectType({ description: "A room of the viewer, with its cursor." })
export class RoomEdge {
  @Field(() => String, { description: "The value of `after` or `before` to continue the list from here." })
  cursor!: string;

  @Field(() => Room, { description: "The room." })
  node!: Room;
}

@ObjectType({ description: "A page of the viewer's rooms." })
export class RoomConnection {
  @Field(() => [RoomEdge], { description: "The rooms with their cursors." })
  edges!: RoomEdge[];

  @Field(() => [Room], { description: "The rooms without cursors." })
  nodes!: Room[];

  @Field(() => PageInfo, { description: "Whether there are more pages, and the cursors of this page's ends." })
  pageInfo!: PageInfo;
}
