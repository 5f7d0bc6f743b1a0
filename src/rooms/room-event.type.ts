import { GraphQLDateTime } from "graphql-scalars";
import { Field, ID, InterfaceType, ObjectType } from "type-graphql";
import { typeNameOf } from "../api/room-event.js";

@InterfaceType({
  description: "A stored event of a room. New types may be added; clients should ignore types that they do not know.",
  resolveType: ({ kind }: { kind: string }) => typeNameOf(kind),
})
export abstract class RoomEvent {
  @Field(() => String, { description: "Position of the event. Subscribe `after` it to resume from here. Opaque; names its room." })
  position!: string;

  @Field(() => ID, { description: "The id of the room in which it happened." })
  roomId!: string;

  @Field(() => GraphQLDateTime, { description: "When it happened, by Redis's clock." })
  at!: Date;
}

@ObjectType({ description: "A user joined a group.", implements: RoomEvent })
export class MemberJoined extends RoomEvent {}

@ObjectType({
  description:
    "A user left a group, or was removed. It is the last event of the group that this user gets: a subscription to this room alone then ends with `NOT_A_MEMBER`, and a subscription to all rooms continues without it.",
  implements: RoomEvent,
})
export class MemberLeft extends RoomEvent {}

@ObjectType({ description: "A group was renamed.", implements: RoomEvent })
export class RoomRenamed extends RoomEvent {
  @Field(() => String, { description: "The new name." })
  name!: string;
}
