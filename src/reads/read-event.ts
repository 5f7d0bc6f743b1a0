import { Field, ID, ObjectType } from "type-graphql";
import type { RoomEventKind } from "../api/room-event.js";
import { RoomEvent } from "../rooms/room-event.type.js";
import type { UserId } from "../util/ids.js";

declare module "../api/room-event.js" {
  interface RoomEventFields {
    "read.moved": { userId: UserId; upTo: string };
  }
}

@ObjectType({
  description:
    "A user's read marker moved without a message of theirs. In private rooms and in groups of at most 100 members, every member gets this event. Elsewhere only the user's own devices get it, and only live: a client that was away queries `Room.unreadCount`.",
  implements: RoomEvent,
})
export class ReadMoved extends RoomEvent {
  @Field(() => ID, { description: "The id of the last message that the user has read." })
  upTo!: string;
}

export const readMoved: RoomEventKind = {
  kind: "read.moved",
  type: ReadMoved,
  read: ({ userId, upTo }) => (typeof userId === "string" && typeof upTo === "string" ? { userId: userId as UserId, upTo } : undefined),
};
