import type DataLoader from "dataloader";
import type { AssistantStore } from "./assistant/assistant.store.js";
import type { RetryStore } from "./assistant/retry.store.js";
import type { ExportStore } from "./messages/export.store.js";
import type { MentionStore } from "./messages/mention.store.js";
import type { MessageStore } from "./messages/message.store.js";
import type { MessageChangeStore } from "./messages/message-change.store.js";
import type { Placed } from "./messages/page.js";
import type { ReadStore, Unread } from "./messages/read.store.js";
import type { RoomEventStore } from "./messages/room-event.store.js";
import type { SendLimit } from "./messages/send-limit.js";
import type { PresenceStore } from "./presence/presence.store.js";
import type { Transitions } from "./presence/transitions.js";
import type { Readiness } from "./redis/health.js";
import type { AcquaintanceStore } from "./rooms/acquaintance.store.js";
import type { GroupStore } from "./rooms/group.store.js";
import type { InvitationStore } from "./rooms/invitation.store.js";
import type { MemberStore } from "./rooms/member.store.js";
import type { RoomRecord, RoomStore } from "./rooms/room.store.js";
import type { RoomListStore, RoomPlace } from "./rooms/room-list.store.js";
import type { TypingStore } from "./rooms/typing.store.js";
import type { SessionStore, Viewer } from "./sessions/session.store.js";
import type { SessionWatch } from "./sessions/session-watch.js";
import type { BlockStore } from "./users/block.store.js";
import type { DirectoryStore } from "./users/directory.store.js";
import type { UserRecord, UserStore } from "./users/user.store.js";
import type { Work } from "./work.js";

/** What the features offer each other and the API. */
export interface Stores {
  acquaintances: AcquaintanceStore;
  assistant: AssistantStore;
  blocks: BlockStore;
  groups: GroupStore;
  invitations: InvitationStore;
  members: MemberStore;
  mentions: MentionStore;
  directory: DirectoryStore;
  exports: ExportStore;
  messages: MessageStore;
  messageChanges: MessageChangeStore;
  presence: PresenceStore;
  reads: ReadStore;
  retries: RetryStore;
  rooms: RoomStore;
  roomList: RoomListStore;
  roomEvents: RoomEventStore;
  /** How often users may send; undefined where that is not limited. */
  sendLimit: SendLimit | undefined;
  /** How often they may say how far they have read: as often as they may send, and beside that. */
  markLimit: SendLimit | undefined;
  sessions: SessionStore;
  transitions: Transitions;
  typing: TypingStore;
  users: UserStore;
}

/** Looks things up by id for one operation: each thing once, all that are asked for together in one round trip. */
export interface Loaders {
  user: DataLoader<string, UserRecord>;
  room: DataLoader<string, RoomRecord>;
  online: DataLoader<string, boolean>;
  message: DataLoader<string, Placed | null>;
  /** A room's newest message. */
  newest: DataLoader<string, Placed | null>;
  /** The rooms in a user's list, in order. */
  roomPlaces: DataLoader<string, RoomPlace[]>;
  /** The position of the event that added a message. */
  addedAt: DataLoader<string, string | null>;
  /** How far a member of a room has read. */
  readUpTo: DataLoader<{ roomId: string; userId: string }, string | null>;
  /** How much of a room the viewer has not read. */
  unread: DataLoader<string, Unread>;
}

/** Where an operation comes from, and what can be done about its connection. */
export interface Caller {
  /** The client's address, as limits count it; undefined for this very machine. */
  address: string | undefined;
  /** The session came in the browser's cookie, where the page's scripts cannot read it. */
  byCookie: boolean;
  /** Keeps a token in the browser's cookie, null takes it away; an answer over a WebSocket cannot. */
  setCookie?: (token: string | null) => void;
  /** The watch over the session of the socket, for an operation that runs with it. */
  watch?: SessionWatch | undefined;
}

/** What a resolver works with. Each operation, and each event of a subscription, has its own. */
export interface Context extends Stores {
  viewer: Viewer | null;
  caller: Caller;
  load: Loaders;
  /** What it makes the server do. */
  work: Work;
  /** Whether a message could be stored and delivered through this server now; within a second. */
  readiness: () => Promise<Readiness>;
  /** Usernames of the demo accounts that are offered to everyone. */
  demoAccounts: string[];
  /** The event of a subscription is worked out for many at once, each of whom had the right to it when it began. */
  forMany: boolean;
}

/** The context behind `@Authorized()`, which has made sure of a viewer. */
export type ViewerContext = Context & { viewer: Viewer };
