import { Field, ID, ObjectType } from "type-graphql";
import type { RoomEventKind } from "../api/room-event.js";
import { RoomEvent } from "../rooms/room-event.type.js";
import type { UserId } from "../util/ids.js";

declare module "../api/room-event.js" {
  interface RoomEventFields {
    "message.pinned": { messageId: string; byId: UserId };
    "message.unpinned": { messageId: string; byId: UserId };
  }
}

@ObjectType({ description: "A message was pinned in its room.", implements: RoomEvent })
export class MessagePinned extends RoomEvent {
  @Field(() => ID, { description: "The id of the message. Add it to the pinned messages, as the latest one." })
  messageId!: string;
}

@ObjectType({
  description: "A message is no longer pinned. A deleted message is not pinned either, without this event.",
  implements: RoomEvent,
})
export class MessageUnpinned extends RoomEvent {
  @Field(() => ID, { description: "The id of the message. Remove it from the pinned messages." })
  messageId!: string;
}

function read({ messageId, by }: Record<string, unknown>) {
  return typeof messageId === "string" && typeof by === "string" ? { messageId, byId: by as UserId } : undefined;
}

export const pinEvents: readonly RoomEventKind[] = [
  { kind: "message.pinned", type: MessagePinned, read },
  { kind: "message.unpinned", type: MessageUnpinned, read },
];
