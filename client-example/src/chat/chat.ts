import { type Client, stringifyDocument } from "@urql/core";
import {
  CreateRoomDocument,
  type CreateRoomMutationVariables,
  MarkReadDocument,
  MembersDocument,
  type MessagePartsFragment as Message,
  MessagesAroundDocument,
  NewerMessagesDocument,
  OlderMessagesDocument,
  OpenPrivateRoomDocument,
  PinsDocument,
  RoomDocument,
  RoomEventsDocument,
  RoomShownDocument,
  RoomsDocument,
  RoomsSinceDocument,
  SendDocument,
  SetTypingDocument,
} from "../gql/graphql";
import { ask, createHttpClient, insist, Refused } from "./api";
import { Kept } from "./kept";
import { Live } from "./live";
import { Outbox } from "./outbox";
import { pause } from "./pause";
import { Presence } from "./presence";
import { resume } from "./resume";
import { type Action, noRooms, type Room, type RoomParts, reduce } from "./rooms";
import { Store } from "./store";
import type { PageKind, RoomEvent } from "./timeline";

const GATHERED_FOR = 300; // ms; recounts of a room within this time become one query
const TYPING_TOLD_EVERY = 3_000; // ms; the server clears it after 6 s
const READ_TOLD_EVERY = 1_000; // ms

/** The state and actions of a signed-in user's page. Hooks read it; it does not depend on React. */
export class Chat {
  /** Queries and mutations, over HTTP. */
  readonly client: Client;
  /** Subscriptions, over a WebSocket. */
  readonly live: Live;
  readonly rooms;
  /** Whether the rooms are being loaded, at the start or after a reconnect. */
  readonly refreshing = new Store(true);
  readonly presence: Presence;
  readonly outbox: Outbox;
  /** The text in each room's composer, by room. */
  readonly drafts: Kept;
  readonly #me: string;
  readonly #following;
  readonly #stops: (() => void)[] = [];
  readonly #recounts = new Map<string, ReturnType<typeof setTimeout>>();
  #pages = 0;
  /** The last request for the pins of each room, whose answer counts. */
  readonly #pinRequests = new Map<string, number>();
  #typing: { roomId: string; at: number } | undefined;
  /** Read markers that the server does not have yet: message ids by room. */
  readonly #toTell = new Map<string, string>();
  #telling: Promise<void> | undefined;
  #connects = 0;

  constructor(me: string, onSessionOver: () => void) {
    this.#me = me;
    this.client = createHttpClient(onSessionOver);
    this.live = new Live(`${location.origin.replace(/^http/, "ws")}/graphql`, onSessionOver);
    this.rooms = new Store(noRooms(me));
    this.presence = new Presence(this.client, this.live);
    this.drafts = new Kept(`palaver.draft.${me}.`);
    this.outbox = new Outbox(
      me,
      async (variables) => (await ask(this.client.mutation(SendDocument, variables))).send,
      (message) => this.#apply({ type: "sent", message }),
    );
    this.#following = resume<RoomEvent>(this.live.client, {
      query: stringifyDocument(RoomEventsDocument),
      eventIn: (data) => data.roomEvents as RoomEvent,
      load: async () => {
        const list = await this.#allRooms();
        const timelines = [...this.rooms.get().byId.values()].filter(({ timeline, loading }) => timeline || loading);
        this.#apply({ type: "loaded", ...list });
        this.refreshing.set(false);
        for (const { id } of timelines) void this.load(id, "newest").catch(() => {});
        return [...this.rooms.get().byId.values()].map(({ id, position }) => [id, position] as const);
      },
      onEvent: (event) => this.#happened(event),
      onRefused: ({ code }) => code === "UNAUTHENTICATED" && onSessionOver(),
    });
    this.#stops.push(
      this.live.subscribe(RoomShownDocument, {}, ({ roomShown }) => this.#add(roomShown)),
      this.live.status.listen(() => this.#connectionChanged()),
    );
  }

  close(): void {
    for (const stop of this.#stops) stop();
    for (const timer of this.#recounts.values()) clearTimeout(timer);
    this.#following.stop();
    this.presence.close();
    this.outbox.close();
    this.live.close();
  }

  /**
   * Loads a page of a room's messages.
   * @param messageId the message to load around, for `around`
   * @throws Refused
   */
  async load(roomId: string, kind: PageKind, messageId = ""): Promise<void> {
    const timeline = this.rooms.get().byId.get(roomId)?.timeline;
    const number = ++this.#pages;
    this.#apply({ type: "asked", roomId, kind, number });
    try {
      const { messages: page } = await insist(() => {
        if (kind === "around") return this.client.query(MessagesAroundDocument, { roomId, messageId });
        if (kind === "newest" || !timeline) return this.client.query(OlderMessagesDocument, { roomId, before: null });
        const [end, last] = kind === "older" ? [timeline.older, timeline.messages[0]] : [timeline.newer, timeline.messages.at(-1)];
        const cursor = end?.cursor ?? null;
        if (cursor === null && last) return this.client.query(MessagesAroundDocument, { roomId, messageId: last.id });
        if (kind === "newer") return this.client.query(NewerMessagesDocument, { roomId, after: cursor });
        return this.client.query(OlderMessagesDocument, { roomId, before: cursor });
      });
      this.#apply({ type: "page", roomId, number, page });
    } catch (error) {
      this.#apply({ type: "failed", roomId, number });
      throw error;
    }
  }

  async loadMembers(roomId: string): Promise<void> {
    const { room } = await insist(() => this.client.query(MembersDocument, { roomId }));
    if (room) this.#apply({ type: "members", roomId, members: room.members.nodes, count: room.members.totalCount });
  }

  async loadPins(roomId: string): Promise<void> {
    const number = ++this.#pages;
    this.#pinRequests.set(roomId, number);
    const { room } = await insist(() => this.client.query(PinsDocument, { roomId }));
    if (room && this.#pinRequests.get(roomId) === number) this.#apply({ type: "pins", roomId, pins: room.pins });
  }

  /**
   * Opens the private room with this user and returns its id.
   * @throws Refused
   */
  async openPrivate(userId: string): Promise<string> {
    const { openPrivateRoom: room } = await ask(this.client.mutation(OpenPrivateRoomDocument, { userId }));
    this.#add(room);
    return room.id;
  }

  /**
   * Creates a group and returns its id. A repeated call with the same `clientRoomId` returns the same id.
   * @throws Refused
   */
  async createGroup(variables: CreateRoomMutationVariables): Promise<string> {
    const { createRoom: room } = await ask(this.client.mutation(CreateRoomDocument, variables));
    this.#add(room);
    return room.id;
  }

  /** Loads a room again. */
  async refresh(roomId: string): Promise<void> {
    const { room } = await insist(() => this.client.query(RoomDocument, { id: roomId }));
    if (room) this.#apply({ type: "room", room });
  }

  /** Applies the answer to the user's own edit or reaction, or that the user left a room. */
  readonly apply = (action: Extract<Action, { message: Message } | { type: "left" }>): void => this.#apply(action);

  /** Trims a room's timeline at one end if it has grown too long. */
  trim(roomId: string, end: "older" | "newer"): void {
    this.#apply({ type: "trimmed", roomId, end });
  }

  /** Deletes what this browser keeps: the user signs out, and the next user may be someone else. */
  forget(): void {
    this.outbox.clear();
    this.drafts.clear();
  }

  /** Moves the user's read marker to the newest message of a room, here and, through the server, on other devices. */
  read({ id: roomId, timeline, readUpTo }: Room): void {
    const newest = timeline?.newer === null ? timeline.messages.at(-1) : undefined;
    if (!newest || newest.id === readUpTo) return;
    this.#apply({ type: "read", roomId, messageId: newest.id });
    this.#toTell.set(roomId, newest.id);
    this.#telling ??= this.#tellReading();
  }

  /** Notifies the room that the user is typing or has stopped. It may be called at each keystroke. */
  setTyping(roomId: string, typing: boolean): void {
    const isTold = this.#typing?.roomId === roomId && Date.now() - this.#typing.at < TYPING_TOLD_EVERY;
    if (typing ? isTold : this.#typing?.roomId !== roomId) return;
    this.#typing = typing ? { roomId, at: Date.now() } : undefined;
    void this.client.mutation(SetTypingDocument, { roomId, typing }).toPromise(); // a failure does little harm
  }

  /** Queues a message. Sending it also ends typing on the server, so no extra call is needed. */
  send(roomId: string, text: string, replyTo: string | null): void {
    this.#typing = undefined;
    this.outbox.add(roomId, text, replyTo);
  }

  /**
   * Loads all of the user's rooms, page by page. A new message moves its room in front of the pages already read, so this finally loads
   * the rooms in front of the first page.
   * @throws Refused
   */
  async #allRooms(): Promise<{ rooms: RoomParts[]; known: ReadonlySet<string> }> {
    const known = new Set(this.rooms.get().byId.keys());
    const rooms = new Map<string, RoomParts>();
    let front: string | null = null;
    for (let after: string | null = null; ; ) {
      const { nodes, pageInfo } = (await insist(() => this.client.query(RoomsDocument, { after }))).rooms;
      for (const room of nodes) rooms.set(room.id, room);
      front ??= pageInfo.startCursor ?? null;
      if (!pageInfo.hasNextPage) break;
      after = pageInfo.endCursor ?? null;
    }
    for (let before: string | null = front; before !== null; ) {
      const since: string = before;
      const { nodes, pageInfo } = (await insist(() => this.client.query(RoomsSinceDocument, { before: since }))).rooms;
      for (const room of nodes) rooms.set(room.id, room);
      before = pageInfo.startCursor ?? null;
    }
    return { rooms: [...rooms.values()], known };
  }

  #apply(action: Action): void {
    this.rooms.set(reduce(this.rooms.get(), action));
  }

  #add(room: Extract<Action, { type: "room" }>["room"]): void {
    this.#following.add(room.id, room.messages.position);
    this.#apply({ type: "room", room });
  }

  #happened(event: RoomEvent): void {
    const before = this.rooms.get().byId.get(event.roomId);
    this.#apply({ type: "event", event });
    const after = this.rooms.get().byId.get(event.roomId);
    if (event.__typename === "MessageAdded" && event.message.from.id === this.#me && event.message.clientMessageId !== null)
      this.outbox.drop(event.message.clientMessageId);
    if (!after) {
      if (before) this.#following.forget(event.roomId);
      return;
    }
    if (after.recount !== before?.recount) this.#recount(event.roomId);
    if (after.pins && after.pinsChanged !== before?.pinsChanged) void this.loadPins(event.roomId).catch(() => {});
    if (after.members && after.membersChanged !== before?.membersChanged) void this.loadMembers(event.roomId).catch(() => {});
  }

  /** Sends read markers one at a time; of several that wait in a room, only the last. */
  async #tellReading(): Promise<void> {
    for (const [roomId, messageId] of this.#toTell) {
      this.#toTell.delete(roomId);
      // It fails if the message was deleted or the user left the room.
      await insist(() => this.client.mutation(MarkReadDocument, { messageId })).catch(() => {});
      await pause(READ_TOLD_EVERY);
    }
    this.#telling = undefined;
  }

  #recount(roomId: string): void {
    if (this.#recounts.has(roomId)) return;
    const ask = () => {
      this.#recounts.delete(roomId);
      void this.refresh(roomId).catch(() => {}); // the user left the room, or the session ended
    };
    this.#recounts.set(roomId, setTimeout(ask, GATHERED_FOR));
  }

  /** Loads what was missed while disconnected: of the subscriptions, only `roomEvents` resumes. */
  #connectionChanged(): void {
    const { state, connects } = this.live.status.get();
    if (state !== "live" || connects === this.#connects) return;
    this.#connects = connects;
    this.outbox.retry();
    this.presence.follow();
    if (connects > 1) void this.#refreshAll(connects);
  }

  async #refreshAll(connects: number): Promise<void> {
    this.refreshing.set(true);
    try {
      const list = await this.#allRooms();
      if (connects !== this.#connects) return;
      const before = this.rooms.get().byId;
      this.#apply({ type: "refreshed", ...list });
      const { byId } = this.rooms.get();
      for (const id of before.keys()) if (!byId.has(id)) this.#following.forget(id);
      const added = [...byId.values()].filter(({ id, position }) => this.#following.add(id, position));
      if (added.length > 0) this.#following.renew();
      for (const { id, members } of byId.values()) if (members) void this.loadMembers(id).catch(() => {});
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // a refusal means that the session ended
    } finally {
      if (connects === this.#connects) this.refreshing.set(false);
    }
  }
}
