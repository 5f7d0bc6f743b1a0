import type {
  MembersQuery,
  MessagePartsFragment as Message,
  PagePartsFragment as Page,
  PinsQuery,
  RoomPartsFragment,
} from "../gql/graphql";
import type { Answered, Whole } from "./api";
import {
  type PageKind,
  type RoomEvent,
  type Timeline,
  afterEvent as timelineAfter,
  trimmed,
  withChange,
  withMessage,
  withPage,
} from "./timeline";
import { afterReading, NOTHING_UNREAD, type Unread, afterEvent as unreadAfter, withCount } from "./unread";

export type Member = NonNullable<Answered<MembersQuery>["room"]>["members"]["nodes"][number];

/** A pinned message. */
export type Pin = NonNullable<Answered<PinsQuery>["room"]>["pins"][number];

/** A room as the server returns it. */
export type RoomParts = Whole<RoomPartsFragment>;

/** A room as the page knows it. */
export interface Room {
  readonly id: string;
  readonly kind: RoomParts["kind"];
  readonly name: string;
  readonly membersMayInvite: boolean;
  /** The other user of a private room. */
  readonly peer: RoomParts["peer"];
  readonly newest: Message | undefined;
  readonly unread: Unread;
  /** The user's read marker: the last message that the user has read. */
  readonly readUpTo: string | null;
  /** The position of the last event received. */
  readonly position: string;
  /** Undefined until the room has been opened. */
  readonly timeline: Timeline | undefined;
  /** The page being loaded, and the events since it was requested, as the page may be older than they are. */
  readonly loading: { kind: PageKind; number: number; meanwhile: readonly RoomEvent[] } | undefined;
  /** The first 100 members; undefined until they are loaded. The general room's are never loaded. */
  readonly members: readonly Member[] | undefined;
  readonly memberCount: number;
  /** The pinned messages, the latest pin first; undefined until they are loaded. */
  readonly pins: readonly Pin[] | undefined;
  /** Grows when a message is pinned: load the pins again then. */
  readonly pinsChanged: number;
  /** Grows when an event leaves the unread count or the newest message uncertain: load the room again then. */
  readonly recount: number;
  /** Grows when a member joins or leaves: load the members again then. */
  readonly membersChanged: number;
}

/** The user's rooms. */
export interface Rooms {
  /** The user's id. */
  readonly me: string;
  /** Whether they have been loaded at least once. */
  readonly loaded: boolean;
  readonly byId: ReadonlyMap<string, Room>;
}

export type Action =
  /** All rooms were loaded, at the start or because positions could not be resumed. `known`: the rooms on the page when loading began. */
  | { type: "loaded"; rooms: RoomParts[]; known: ReadonlySet<string> }
  /** All rooms were loaded again, while events continue from their positions. `known` as above. */
  | { type: "refreshed"; rooms: RoomParts[]; known: ReadonlySet<string> }
  /** A room appeared, or was loaded again. */
  | { type: "room"; room: RoomParts }
  | { type: "event"; event: RoomEvent }
  /** A page was requested. Its number distinguishes its answer from the answer to an earlier request. */
  | { type: "asked"; roomId: string; kind: PageKind; number: number }
  | { type: "page"; roomId: string; number: number; page: Page }
  | { type: "failed"; roomId: string; number: number }
  /** The reader is far from this end of a room's timeline, which has grown too long. */
  | { type: "trimmed"; roomId: string; end: "older" | "newer" }
  | { type: "members"; roomId: string; members: Member[]; count: number }
  | { type: "pins"; roomId: string; pins: Pin[] }
  /** The server answered the user's own send, edit or reaction; the event arrives as well. */
  | { type: "sent" | "changed"; message: Message }
  /** The user has read up to this message, on this page. */
  | { type: "read"; roomId: string; messageId: string }
  | { type: "left"; roomId: string };

export const noRooms = (me: string): Rooms => ({ me, loaded: false, byId: new Map() });

/** The rooms after an action. Pure: requests to the server are made elsewhere. */
export function reduce(rooms: Rooms, action: Action): Rooms {
  switch (action.type) {
    case "loaded":
      return { ...withList(rooms, action, toRoom), loaded: true };
    case "refreshed":
      return withList(rooms, action, (parts) => refreshed(rooms.byId.get(parts.id), parts));
    case "room":
      return { ...rooms, byId: new Map(rooms.byId).set(action.room.id, refreshed(rooms.byId.get(action.room.id), action.room)) };
    case "event":
      if (action.event.__typename === "MemberLeft" && action.event.user.id === rooms.me) return withoutRoom(rooms, action.event.roomId);
      return withRoom(rooms, action.event.roomId, (room) => afterEvent(room, action.event, rooms.me));
    case "asked": {
      const { kind, number } = action;
      return withRoom(rooms, action.roomId, (room) => ({ ...room, loading: { kind, number, meanwhile: [] } }));
    }
    case "page":
      return withRoom(rooms, action.roomId, (room) => {
        if (room.loading?.number !== action.number) return room;
        const { kind, meanwhile } = room.loading;
        return { ...room, loading: undefined, timeline: meanwhile.reduce(timelineAfter, withPage(room.timeline, action.page, kind)) };
      });
    case "failed":
      return withRoom(rooms, action.roomId, (room) => (room.loading?.number === action.number ? { ...room, loading: undefined } : room));
    case "trimmed":
      // A page being loaded for this end would leave a gap.
      return withRoom(rooms, action.roomId, (room) => ({
        ...withTimeline(room, (timeline) => trimmed(timeline, action.end)),
        loading: room.loading?.kind === action.end ? undefined : room.loading,
      }));
    case "members":
      return withRoom(rooms, action.roomId, (room) => ({ ...room, members: action.members, memberCount: action.count }));
    case "pins":
      return withRoom(rooms, action.roomId, (room) => ({ ...room, pins: action.pins }));
    case "sent":
      return withRoom(rooms, action.message.roomId, (room) => ({
        ...withTimeline(room, (timeline) => withMessage(timeline, action.message)),
        newest: later(room.newest, action.message),
      }));
    case "changed":
      return withRoom(rooms, action.message.roomId, (room) => withTimeline(room, (timeline) => withChange(timeline, action.message)));
    case "read":
      return withRoom(rooms, action.roomId, (room) => ({ ...room, readUpTo: action.messageId, unread: afterReading(room.unread) }));
    case "left":
      return withoutRoom(rooms, action.roomId);
  }
}

/** Whether events have been received up to the positions at which the rooms were last loaded. */
export const isCaughtUp = (rooms: Rooms): boolean => [...rooms.byId.values()].every(({ unread }) => unread.asOf === undefined);

function toRoom({ messages, unreadCount, unreadMentions, ...parts }: RoomParts): Room {
  return {
    ...parts,
    newest: messages.nodes[0],
    unread: { ...NOTHING_UNREAD, count: unreadCount, mentions: unreadMentions },
    position: messages.position,
    timeline: undefined,
    loading: undefined,
    members: undefined,
    memberCount: 0,
    pins: undefined,
    pinsChanged: 0,
    recount: 0,
    membersChanged: 0,
  };
}

/** Keeps rooms that were opened, and leaves out rooms that were left, while the list loaded: the list may be older than that. */
function withList(rooms: Rooms, list: { rooms: RoomParts[]; known: ReadonlySet<string> }, toRoom: (parts: RoomParts) => Room): Rooms {
  const byId = new Map([...rooms.byId].filter(([id]) => !list.known.has(id)));
  for (const parts of list.rooms) if (!list.known.has(parts.id) || rooms.byId.has(parts.id)) byId.set(parts.id, toRoom(parts));
  return { ...rooms, byId };
}

/** The room with the server's current state of it. Its loaded history continues with the events. */
function refreshed(room: Room | undefined, parts: RoomParts): Room {
  if (!room) return toRoom(parts);
  const { messages, unreadCount, unreadMentions, ...about } = parts;
  const counted = { count: unreadCount, mentions: unreadMentions, position: messages.position };
  return { ...room, ...about, unread: withCount(room.unread, counted, room.position), newest: later(room.newest, messages.nodes[0]) };
}

function afterEvent(room: Room, event: RoomEvent, me: string): Room {
  const { position } = event;
  const isNews = event.__typename === "MessageAdded" && event.message.from.id !== me;
  const mentionsMe = isNews && event.message.mentionRanges.some(({ user }) => user.id === me);
  const next: Room = {
    ...withTimeline(room, (timeline) => timelineAfter(timeline, event)),
    position,
    unread: unreadAfter(room.unread, { position, count: isNews ? 1 : 0, mentions: mentionsMe ? 1 : 0 }),
    loading: room.loading && { ...room.loading, meanwhile: [...room.loading.meanwhile, event] },
  };
  const recounted = room.unread.count > 0 ? room.recount + 1 : room.recount;
  switch (event.__typename) {
    case "MessageAdded": {
      const added = { ...next, newest: later(room.newest, event.message) };
      return event.readBySender ? readTo(added, event.message.from.id, event.message.id, me) : added;
    }
    case "MessageEdited": {
      const pins = room.pins?.map((pin) =>
        pin.message.id === event.message.id ? { ...pin, message: { ...pin.message, text: event.message.text } } : pin,
      );
      return { ...next, pins, recount: recounted, newest: room.newest?.id === event.message.id ? event.message : room.newest };
    }
    case "MessagePinned":
      return { ...next, pinsChanged: room.pinsChanged + 1 };
    case "MessageUnpinned":
      return withoutPin({ ...next, pinsChanged: room.pinsChanged + 1 }, event.messageId);
    case "MessageDeleted":
      return withoutPin(afterDeletion(room, next, event.messageId, recounted), event.messageId);
    case "ReadMoved":
      return readTo(next, event.user.id, event.upTo, me);
    case "MemberJoined":
    case "MemberLeft":
      return { ...next, membersChanged: room.membersChanged + 1 };
    case "RoomRenamed":
      return { ...next, name: event.name };
    default:
      return next;
  }
}

/** @param next the room after the deletion, without its newest message and count */
function afterDeletion(room: Room, next: Room, messageId: string, recounted: number): Room {
  if (room.newest?.id !== messageId) return { ...next, recount: recounted };
  return { ...next, recount: room.recount + 1, newest: next.timeline?.newer === null ? next.timeline.messages.at(-1) : undefined };
}

/** The room without the pin of a message. */
function withoutPin(room: Room, messageId: string): Room {
  return { ...room, pins: room.pins?.filter(({ message }) => message.id !== messageId) };
}

/** The room after a user has read up to a message. */
function readTo(room: Room, userId: string, upTo: string, me: string): Room {
  if (userId !== me) return { ...room, members: room.members?.map((one) => (one.user.id === userId ? { ...one, readUpTo: upTo } : one)) };
  if (upTo === room.readUpTo) return room;
  const isRead = room.unread.count === 0 && room.unread.asOf === undefined;
  return { ...room, readUpTo: upTo, recount: isRead ? room.recount : room.recount + 1 };
}

function withRoom(rooms: Rooms, roomId: string, change: (room: Room) => Room): Rooms {
  const room = rooms.byId.get(roomId);
  return room ? { ...rooms, byId: new Map(rooms.byId).set(roomId, change(room)) } : rooms;
}

function withoutRoom(rooms: Rooms, roomId: string): Rooms {
  const byId = new Map(rooms.byId);
  byId.delete(roomId);
  return { ...rooms, byId };
}

function withTimeline(room: Room, change: (timeline: Timeline) => Timeline): Room {
  return room.timeline ? { ...room, timeline: change(room.timeline) } : room;
}

const later = (one: Message | undefined, other: Message | undefined) => (!one || (other && other.sentAt >= one.sentAt) ? other : one);
