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

/** The interfaces that the features offer to each other and to the API. */
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
  /** The rate limit of sends; undefined if sends are not limited. */
  sendLimit: SendLimit | undefined;
  /** The rate limit of moving the read marker: as high as that of sends, and separate from it. */
  markLimit: SendLimit | undefined;
  sessions: SessionStore;
  transitions: Transitions;
  typing: TypingStore;
  users: UserStore;
}

/** Look up objects by id for one operation: each object once, and objects requested together in one round trip. */
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
  /** The read marker of a room's member. */
  readUpTo: DataLoader<{ roomId: string; userId: string }, string | null>;
  /** How much of a room is unread by the viewer. */
  unread: DataLoader<string, Unread>;
}

/** The origin of an operation, and access to its connection. */
export interface Caller {
  /** The client's address, as limits count it; undefined for this machine. */
  address: string | undefined;
  /** Whether the session came in the browser's cookie, which the page's scripts cannot read. */
  byCookie: boolean;
  /** Stores a token in the browser's cookie; null removes it. Undefined for operations over a WebSocket, which cannot set cookies. */
  setCookie?: (token: string | null) => void;
  /** The watch over the socket's session, for an operation over a socket. */
  watch?: SessionWatch | undefined;
}

/** The context of a resolver. Each operation, and each event of a subscription, has its own. */
export interface Context extends Stores {
  viewer: Viewer | null;
  caller: Caller;
  load: Loaders;
  /** The work that it causes on the server. */
  work: Work;
  /** Resolves within a second to whether this server could store and deliver a message now. */
  readiness: () => Promise<Readiness>;
  /** Usernames of the demo accounts that the server offers to everyone. */
  demoAccounts: string[];
  /** Whether the event of a subscription is executed once for many subscribers, each of whom was authorized when they subscribed. */
  forMany: boolean;
}

/** The context behind `@Authorized()`, which guarantees a viewer. */
export type ViewerContext = Context & { viewer: Viewer };
