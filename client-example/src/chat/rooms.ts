import type { MembersQuery, MessagePartsFragment as Message, PagePartsFragment as Page, RoomPartsFragment } from "../gql/graphql";
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

/** A room as the server gives it. */
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
  /** The message that the user has read up to. */
  readonly readUpTo: string | null;
  /** Where the last event that was heard stands. */
  readonly position: string;
  /** Undefined until the room has been opened. */
  readonly timeline: Timeline | undefined;
  /** The page that is on its way, and what happens meanwhile: the page may be of before. */
  readonly loading: { kind: PageKind; number: number; meanwhile: readonly RoomEvent[] } | undefined;
  /** The first 100 of those in it; undefined until they have been asked for. Of the general room, they are not. */
  readonly members: readonly Member[] | undefined;
  readonly memberCount: number;
  /** Grows with what leaves the unread, or the newest message, uncertain: ask for the room again then. */
  readonly recount: number;
  /** Grows when someone came or left: ask for the members again then. */
  readonly membersChanged: number;
}

/** The user's rooms. */
export interface Rooms {
  /** Whose they are. */
  readonly me: string;
  /** Whether they have been loaded once. */
  readonly loaded: boolean;
  readonly byId: ReadonlyMap<string, Room>;
}

export type Action =
  /** All rooms were loaded, at the start or because positions could not be continued. `known`: those the page had when it asked. */
  | { type: "loaded"; rooms: RoomParts[]; known: ReadonlySet<string> }
  /** All rooms as they are now, while events go on from where they were. */
  | { type: "refreshed"; rooms: RoomParts[]; known: ReadonlySet<string> }
  /** A room appeared, or was asked for again. */
  | { type: "room"; room: RoomParts }
  | { type: "event"; event: RoomEvent }
  /** A page was asked for. Its number tells its answer from that of an earlier one. */
  | { type: "asked"; roomId: string; kind: PageKind; number: number }
  | { type: "page"; roomId: string; number: number; page: Page }
  | { type: "failed"; roomId: string; number: number }
  /** The reader is far from this end of a room's timeline, which has grown too long. */
  | { type: "trimmed"; roomId: string; end: "older" | "newer" }
  | { type: "members"; roomId: string; members: Member[]; count: number }
  /** The user's own send, edit or reaction was answered; the event comes as well. */
  | { type: "sent" | "changed"; message: Message }
  /** The user has read up to this message, here. */
  | { type: "read"; roomId: string; messageId: string }
  | { type: "left"; roomId: string };

export const noRooms = (me: string): Rooms => ({ me, loaded: false, byId: new Map() });

/** What the page knows after something happened. Pure: what is to be asked of the server is asked elsewhere. */
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
      // A page that is on its way to this end would no longer join on.
      return withRoom(rooms, action.roomId, (room) => ({
        ...withTimeline(room, (timeline) => trimmed(timeline, action.end)),
        loading: room.loading?.kind === action.end ? undefined : room.loading,
      }));
    case "members":
      return withRoom(rooms, action.roomId, (room) => ({ ...room, members: action.members, memberCount: action.count }));
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

/** Whether events have been heard up to what the server said when the rooms were last asked for. */
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
    recount: 0,
    membersChanged: 0,
  };
}

/** The list may be older than what was opened or left while it was loading. */
function withList(rooms: Rooms, list: { rooms: RoomParts[]; known: ReadonlySet<string> }, toRoom: (parts: RoomParts) => Room): Rooms {
  const byId = new Map([...rooms.byId].filter(([id]) => !list.known.has(id)));
  for (const parts of list.rooms) if (!list.known.has(parts.id) || rooms.byId.has(parts.id)) byId.set(parts.id, toRoom(parts));
  return { ...rooms, byId };
}

/** The room with what the server says of it now; what it has of its history goes on with the events. */
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
    case "MessageEdited":
      return { ...next, recount: recounted, newest: room.newest?.id === event.message.id ? event.message : room.newest };
    case "MessageDeleted": {
      if (room.newest?.id !== event.messageId) return { ...next, recount: recounted };
      return { ...next, recount: room.recount + 1, newest: next.timeline?.newer === null ? next.timeline.messages.at(-1) : undefined };
    }
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

/** The room in which someone has read up to a message. */
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
