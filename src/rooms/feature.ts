import DataLoader from "dataloader";
import type { Feature } from "../feature.js";
import type { RoomId, UserId } from "../util/ids.js";
import { AcquaintanceStore } from "./acquaintance.store.js";
import { roomKeys } from "./keys.js";
import { MemberResolver, RoomMembersResolver } from "./member.resolver.js";
import { MemberStore } from "./member.store.js";
import type { RoomRecord } from "./room.js";
import { RoomResolver } from "./room.resolver.js";
import { RoomStore } from "./room.store.js";
import { roomEvents } from "./room-event.js";
import { MemberJoinedResolver, MemberLeftResolver, RoomEventResolver, RoomRenamedResolver } from "./room-event.resolver.js";
import { RoomEventStore } from "./room-event.store.js";
import { RoomListStore, type RoomPlace } from "./room-list.store.js";

declare module "../api/context.js" {
  interface Stores {
    members: MemberStore;
    acquaintances: AcquaintanceStore;
    rooms: RoomStore;
    roomList: RoomListStore;
    roomEvents: RoomEventStore;
  }
  interface Loaders {
    room: DataLoader<RoomId, RoomRecord>;
    /** Whether the viewer may read a room. */
    readable: DataLoader<RoomId, boolean>;
    /** The rooms in a user's list, in order. */
    roomPlaces: DataLoader<UserId, RoomPlace[]>;
  }
}

/** Rooms: who is in them, who may write to whom, and the subscription to their events. */
export const rooms: Feature = {
  name: "rooms",
  lua: new URL("./lua/", import.meta.url),
  keysOfRoom: (roomId) => [roomKeys.members, roomKeys.reads].map((of) => of(roomId)),
  stores({ commands, scripts, lenient, channels, followed }, { users, bots }) {
    const members = new MemberStore(commands, scripts, users);
    const acquaintances = new AcquaintanceStore(commands, scripts, lenient, bots);
    const rooms = new RoomStore(commands, followed, channels, lenient, members, acquaintances);
    return { members, acquaintances, rooms, roomList: new RoomListStore(commands, rooms), roomEvents: new RoomEventStore(followed, rooms) };
  },
  loaders: {
    room: ({ stores, work }) => new DataLoader(async (ids) => work.lookedUp(await stores.rooms.byIds(ids))),
    readable: ({ stores, work, viewerId }) =>
      new DataLoader(async (ids) =>
        work.lookedUp(await Promise.all(ids.map((id) => viewerId !== undefined && stores.rooms.isReadable(id, viewerId)))),
      ),
    roomPlaces: ({ stores: { roomList }, load }) =>
      new DataLoader((userIds) => Promise.all(userIds.map((id) => roomList.placesOf(id, load)))),
  },
  resolvers: [
    RoomResolver,
    RoomMembersResolver,
    MemberResolver,
    RoomEventResolver,
    MemberJoinedResolver,
    MemberLeftResolver,
    RoomRenamedResolver,
  ],
  events: roomEvents,
  doorkeeper: ({ rooms }) => ({ roomsOf: (userId) => rooms.countOf(userId) }),
};
