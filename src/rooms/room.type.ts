import { Field, ID, ObjectType, registerEnumType } from "type-graphql";

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
    GROUP: { description: "Those whom its owner, or a member where it allows that, has added." },
  },
});

@ObjectType({ description: "A place where messages are sent." })
export class Room {
  @Field(() => ID, {
    description: "`0` is the general room; a private room's is both users' ids, a group's is 18 digits, or begins with `group-`.",
  })
  id!: string;

  @Field(() => RoomKind, { description: "Who is in it." })
  kind!: RoomKind | keyof typeof RoomKind;
}
