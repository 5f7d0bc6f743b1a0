import { describe, expect, it } from "vitest";
import { type Action, isCaughtUp, noRooms, type RoomParts, type Rooms, reduce } from "../src/chat/rooms";
import { MOST, type RoomEvent } from "../src/chat/timeline";
import type { MessagePartsFragment as Message, PagePartsFragment as Page } from "../src/gql/graphql";

const ME = "1";
const OTHER = "2";
const PERSON = { nameSkeleton: "", guest: false, isAssistant: false };

function message(n: number, more: Partial<Message> = {}): Message {
  const from = { id: OTHER, username: "mary", name: "Mary", ...PERSON };
  const sentAt = new Date(1_700_000_000_000 + n * 1_000).toISOString();
  const none = {
    editedAt: null,
    clientMessageId: null,
    mentionRanges: [],
    replyToId: null,
    replyTo: null,
    incomplete: null,
    reactions: [],
  };
  return { id: `m${n}`, roomId: "0", text: `text ${n}`, sentAt, from, ...none, ...more };
}

function room(position: number, more: Partial<RoomParts> = {}): RoomParts {
  const about = { id: "0", kind: "GENERAL" as const, name: "General", membersMayInvite: false, readUpTo: null, peer: null };
  return { ...about, unreadCount: 0, unreadMentions: 0, messages: { position: `p${position}`, nodes: [] }, ...more };
}

function page(nodes: Message[], { older = null, newer = null }: { older?: string | null; newer?: string | null } = {}): Page {
  const pageInfo = { hasPreviousPage: older !== null, startCursor: older, hasNextPage: newer !== null, endCursor: newer };
  return { position: "p", nodes, pageInfo };
}

const added = (position: number, one: Message): RoomEvent => ({
  __typename: "MessageAdded",
  position: `p${position}`,
  roomId: "0",
  message: one,
  readBySender: true,
});
const edited = (position: number, one: Message): RoomEvent => ({
  __typename: "MessageEdited",
  position: `p${position}`,
  roomId: "0",
  message: one,
});
const deleted = (position: number, messageId: string): RoomEvent => ({
  __typename: "MessageDeleted",
  position: `p${position}`,
  roomId: "0",
  messageId,
});

/** The general room after these actions. */
function roomsAfter(...actions: Action[]) {
  const rooms = actions.reduce<Rooms>(reduce, noRooms(ME));
  return { rooms, room: rooms.byId.get("0"), texts: rooms.byId.get("0")?.timeline?.messages.map(({ text }) => text) };
}
const loaded: Action = { type: "loaded", rooms: [room(0)], known: new Set() };
const asked = (kind: "newest" | "older" | "newer" | "around", number = 1): Action => ({ type: "asked", roomId: "0", kind, number });
const came = (one: Page, number = 1): Action => ({ type: "page", roomId: "0", number, page: one });
const event = (one: RoomEvent): Action => ({ type: "event", event: one });

describe("the reducer", () => {
  it("[PAGE12] applies events that arrive while a page loads once, in their final state", () => {
    const events = [
      added(1, message(1)),
      edited(2, message(1, { text: "text 1b", editedAt: "x" })),
      added(3, message(2)),
      deleted(4, "m2"),
      added(5, message(3)),
    ];
    const wholeThere = [message(1, { text: "text 1b", editedAt: "x" }), message(3)];
    // The server may read the page before, between or after the events, and the events may arrive before or after the page.
    const states = [
      [],
      [message(1)],
      [wholeThere[0] as Message],
      [wholeThere[0] as Message, message(2)],
      [wholeThere[0] as Message],
      wholeThere,
    ];
    for (const [read, nodes] of states.entries()) {
      for (let early = 0; early <= events.length; early++) {
        if (early < read) continue; // events that the page lacks come after it in the log, never before its request
        const actions = [...events.slice(0, early).map(event), came(page(nodes)), ...events.slice(early).map(event)];
        expect(roomsAfter(loaded, asked("newest"), ...actions).texts).toEqual(["text 1b", "text 3"]);
      }
      const actions = [came(page(nodes)), ...events.map(event)];
      expect(roomsAfter(loaded, asked("newest"), ...actions).texts).toEqual(["text 1b", "text 3"]);
    }
  });

  it("[PAGE12] joins older and newer pages without gaps, and leaves messages beyond them to their page", () => {
    const { texts, room: shown } = roomsAfter(
      loaded,
      asked("around"),
      came(page([message(5), message(6)], { older: "c5", newer: "c6" })),
      event(added(9, message(9))),
      asked("older", 2),
      came(page([message(3), message(4), message(5)], { older: "c3" }), 2),
      asked("newer", 3),
      event(added(10, message(10))),
      came(page([message(7), message(8), message(9)]), 3),
    );
    expect(texts).toEqual([3, 4, 5, 6, 7, 8, 9, 10].map((n) => `text ${n}`));
    expect(shown?.timeline).toMatchObject({ older: { cursor: "c3" }, newer: null });
  });

  it("[PAGE44] trims a long timeline at the end further from the reader, and can load that end again", () => {
    const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
    const arrived = [
      asked("newest"),
      came(page([message(0)], { older: "c0" })),
      ...numbers(1, MOST).map((n) => event(added(n, message(n)))),
    ];
    const trim = (end: "older" | "newer"): Action => ({ type: "trimmed", roomId: "0", end });

    // At the newest message, older messages are dropped. A page around the first remaining message joins before it.
    const live = roomsAfter(loaded, ...arrived, trim("older"), trim("older"));
    expect(live.texts).toEqual(numbers(51, MOST).map((n) => `text ${n}`));
    expect(live.room?.timeline).toMatchObject({ older: {}, newer: null });
    const back = [
      asked("older", 2),
      came(
        page(
          numbers(40, 60).map((n) => message(n)),
          { older: "c40", newer: "c60" },
        ),
        2,
      ),
    ];
    const joined = roomsAfter(loaded, ...arrived, trim("older"), ...back);
    expect(joined.texts).toEqual(numbers(40, MOST).map((n) => `text ${n}`));
    expect(joined.room?.timeline).toMatchObject({ older: { cursor: "c40" }, newer: null });

    // In the middle of the history, newer messages are dropped, and messages that arrive are left out until their page is loaded.
    const away = roomsAfter(loaded, ...arrived, trim("newer"), event(added(MOST + 1, message(MOST + 1))));
    expect(away.texts).toEqual(numbers(0, 149).map((n) => `text ${n}`));
    const on = [
      asked("newer", 2),
      came(
        page(
          numbers(140, MOST + 1).map((n) => message(n)),
          { older: "c140" },
        ),
        2,
      ),
    ];
    expect(roomsAfter(loaded, ...arrived, trim("newer"), ...on).texts).toEqual(numbers(0, MOST + 1).map((n) => `text ${n}`));

    // A page that was still loading for the dropped end would leave a gap.
    const late = [asked("older", 2), trim("older"), came(page([message(-1)]), 2)];
    expect(roomsAfter(loaded, ...arrived, ...late).texts).toEqual(live.texts);
  });

  it("[PAGE44] keeps at most 400 messages of a room that is not shown, however many arrive", () => {
    const many = Array.from({ length: 3 * MOST }, (_, n) => event(added(n, message(n))));
    const { texts = [], room: shown } = roomsAfter(loaded, asked("newest"), came(page([])), ...many);
    expect(texts.length).toBeLessThanOrEqual(2 * MOST);
    expect(texts.at(-1)).toBe(`text ${3 * MOST - 1}`);
    expect(shown?.timeline).toMatchObject({ older: {}, newer: null });
  });

  it("[PAGE12] ignores an answer to an earlier request", () => {
    const { room: shown } = roomsAfter(loaded, asked("newest", 1), asked("around", 2), came(page([message(1)]), 1));
    expect(shown?.timeline).toBeUndefined();
    expect(shown?.loading?.number).toBe(2);
  });

  it("[PAGE12] merges the answer to a send and its event into one message, in the server's order", () => {
    const mine = message(2, { from: { id: ME, username: "pablo", name: "Pablo", ...PERSON } });
    const sent: Action = { type: "sent", message: mine };
    const { texts, room: shown } = roomsAfter(
      loaded,
      asked("newest"),
      came(page([])),
      sent,
      event(added(1, message(1))),
      event(added(2, mine)),
    );
    expect(texts).toEqual(["text 1", "text 2"]);
    expect(shown?.unread.count).toBe(1);
  });

  it("[PAGE1] orders messages of one millisecond as the server's events do, whenever the answers to sends arrive", () => {
    const { sentAt } = message(1);
    const mine = [2, 3].map((n) => message(n, { sentAt, from: { id: ME, username: "joe", name: "Joe", ...PERSON } }));
    const [first, second] = mine as [Message, Message];
    const other = message(1);
    const sent = (one: Message): Action => ({ type: "sent", message: one });
    const events = [added(1, other), added(2, first), added(3, second)].map(event);
    for (const actions of [
      [sent(first), sent(second), ...events],
      [sent(first), events[0], sent(second), events[1], events[2]],
      [events[0], sent(first), events[1], sent(second), events[2]],
      [events[0], sent(first), sent(second), events[1], events[2]],
    ] as Action[][])
      expect(roomsAfter(loaded, asked("newest"), came(page([message(0)])), ...actions).texts).toEqual([
        "text 0",
        "text 1",
        "text 2",
        "text 3",
      ]);
  });

  it("[PAGE12] updates quotes with the quoted message, and removes a room that the user leaves", () => {
    const reply = message(2, { replyToId: "m1", replyTo: { id: "m1", text: "text 1", from: message(1).from } });
    const quoted = (...events: RoomEvent[]) =>
      roomsAfter(loaded, asked("newest"), came(page([message(1), reply])), ...events.map(event)).room?.timeline?.messages.at(-1)?.replyTo;
    expect(quoted(edited(1, message(1, { text: "new" })))?.text).toBe("new");
    expect(quoted(deleted(1, "m1"))).toBeNull();
    const left: RoomEvent = { __typename: "MemberLeft", position: "p1", roomId: "0", user: { id: ME } };
    expect(roomsAfter(loaded, event(left)).room).toBeUndefined();
  });

  it("[PAGE13] places a count from the server among the events received before and after it", () => {
    const counted = (unreadCount: number, position: number): Action => ({
      type: "refreshed",
      rooms: [room(position, { unreadCount })],
      known: new Set(["0"]),
    });
    const three = [1, 2, 3].map((n) => event(added(n, message(n))));
    expect(roomsAfter(loaded, ...three).room?.unread.count).toBe(3);
    // Counted at position 2: received after event 3, and received before all events.
    expect(roomsAfter(loaded, ...three, counted(2, 2)).room?.unread.count).toBe(3);
    const early = roomsAfter(loaded, counted(2, 2));
    expect(isCaughtUp(early.rooms)).toBe(false);
    const { rooms, room: shown } = roomsAfter(loaded, counted(2, 2), ...three);
    expect(shown?.unread.count).toBe(3);
    expect(isCaughtUp(rooms)).toBe(true);
    const read: Action = { type: "read", roomId: "0", messageId: "m3" };
    expect(roomsAfter(loaded, ...three, read, event(added(4, message(4)))).room?.unread.count).toBe(1);
  });

  it("[PAGE12] keeps a room opened while the list loads, and does not restore a room that was left", () => {
    const opened: Action = { type: "room", room: room(3, { id: "1:2", kind: "PRIVATE" }) };
    for (const type of ["loaded", "refreshed"] as const) {
      const list = (...known: string[]): Action => ({ type, rooms: [room(0)], known: new Set(known) });
      expect([...roomsAfter(loaded, opened, list("0")).rooms.byId.keys()].sort()).toEqual(["0", "1:2"]);
      expect([...roomsAfter(loaded, opened, list("0", "1:2")).rooms.byId.keys()]).toEqual(["0"]);
      expect([...roomsAfter(loaded, { type: "left", roomId: "0" }, list("0")).rooms.byId.keys()]).toEqual([]);
    }
  });

  it("[PAGE13] moves senders' read markers to their messages, and recounts what was unread before", () => {
    const mine = message(2, { from: { id: ME, username: "pablo", name: "Pablo", ...PERSON } });
    const { room: shown } = roomsAfter(loaded, event(added(1, message(1))), event(added(2, mine)));
    expect(shown).toMatchObject({ readUpTo: "m2", recount: 1 });
    expect(roomsAfter(loaded, event(added(2, mine))).room).toMatchObject({ readUpTo: "m2", recount: 0, unread: { count: 0 } });
    const members: Action = {
      type: "members",
      roomId: "0",
      members: [{ role: "MEMBER", readUpTo: null, user: { id: OTHER, username: "mary", name: "Mary" } }] as never,
      count: 1,
    };
    expect(roomsAfter(loaded, members, event(added(1, message(1)))).room?.members).toMatchObject([{ readUpTo: "m1" }]);
    const inDemoApp = event({ ...(added(3, message(3)) as { __typename: "MessageAdded" } & RoomEvent), readBySender: false } as RoomEvent);
    expect(roomsAfter(loaded, members, inDemoApp).room?.members).toMatchObject([{ readUpTo: null }]);
  });

  it("[PAGE13] does not count the user's own messages as unread, and counts mentions separately", () => {
    const mine = message(1, { from: { id: ME, username: "pablo", name: "Pablo", ...PERSON } });
    const toMe = message(2, { mentionRanges: [{ start: 0, length: 6, user: { id: ME } }] });
    const { room: shown } = roomsAfter(loaded, event(added(1, mine)), event(added(2, toMe)), event(added(3, message(3))));
    expect(shown?.unread).toMatchObject({ count: 2, mentions: 1 });
  });
});
