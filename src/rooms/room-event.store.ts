import { isGroup, readRoomId } from "../api/ids.js";
import type { RoomEventRecord } from "../api/room-event.js";
import type { FollowedRooms } from "../log/followed-rooms.js";
import { decodePosition, encodePosition, type Position } from "../log/position.js";
import { ROOMS_AT_ONCE, RoomsFeed } from "../log/rooms-feed.js";
import { badInput, refusal } from "../util/errors.js";
import type { RoomId, UserId } from "../util/ids.js";
import { startInPortions } from "../util/portions.js";
import type { RoomStore } from "./room.store.js";

export interface Following {
  roomId?: RoomId | null | undefined;
  after?: string[] | null | undefined;
}

/** An event that is not in the log of its room. The subscriber gets it with the position of the latest event of the room. */
export type LiveEvent = RoomEventRecord extends infer Event ? (Event extends unknown ? Omit<Event, "position"> : never) : never;

/**
 * A source of events for one user that are not in the logs of rooms.
 * @returns a function that ends it
 */
export type LiveSource = (userId: UserId, push: (event: LiveEvent) => void) => Promise<() => void>;

/** Subscriptions to the events of rooms. */
export class RoomEventStore {
  readonly #followed: FollowedRooms<RoomEventRecord>;
  readonly #rooms: RoomStore;
  readonly #live: LiveSource[] = [];

  constructor(followed: FollowedRooms<RoomEventRecord>, rooms: RoomStore) {
    this.#followed = followed;
    this.#rooms = rooms;
  }

  /** Adds a source of events to all later subscriptions to all events. */
  addLive(source: LiveSource): void {
    this.#live.push(source);
  }

  /**
   * All stored events: of one room, or of every room of the user, now or later.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, HISTORY_RESET
   */
  async followAll(userId: UserId, following: Following): Promise<RoomsFeed<RoomEventRecord, RoomEventRecord>> {
    const feed = await this.follow(userId, following, (event) => event);
    const push = (event: LiveEvent) => {
      const place = feed.positionIn(event.roomId);
      if (place) feed.push({ ...event, position: encodePosition(place) } as RoomEventRecord);
    };
    try {
      for (const source of this.#live) feed.onEnd(await source(userId, push));
      return feed;
    } catch (error) {
      feed.end();
      throw error;
    }
  }

  /**
   * What `select` returns for the events of one room, or of every room of the user, now or later: the same object for the same event;
   * undefined skips the event.
   * @throws ChatError BAD_USER_INPUT, NOT_A_MEMBER, NOT_FOUND, HISTORY_RESET
   */
  async follow<T extends object>(
    userId: UserId,
    { roomId, after }: Following,
    select: (event: RoomEventRecord) => T | undefined,
  ): Promise<RoomsFeed<RoomEventRecord, T>> {
    const positions = positionsByRoom(after ?? [], roomId);
    if (roomId != null) await this.#rooms.check(roomId, userId);
    else await Promise.all([...positions.keys()].map((room) => isGroup(room) || this.#rooms.check(room, userId, "after")));

    const feed: RoomsFeed<RoomEventRecord, T> = new RoomsFeed(this.#followed, select, {
      leaves: (event) => event.kind === "member.left" && event.userId === userId,
      comesIn: (event) => event.kind === "member.joined" && event.userId === userId,
      left: (room) => roomId != null && feed.end(refusal("NOT_A_MEMBER", room)),
    });
    try {
      if (roomId != null) {
        const standing = isGroup(roomId) ? await this.#standing(roomId, userId) : undefined;
        await feed.add(roomId, positions.get(roomId) ?? standing?.now, standing?.entrance);
        return feed;
      }
      const listed = new Map<RoomId, Parameters<typeof feed.add>>();
      let begun = false;
      const stop = await this.#rooms.onRooms(userId, (room, begins, entrance) => {
        const known = listed.get(room);
        if (begun) feed.add(room, positions.get(room) ?? begins, entrance).catch((error) => feed.end(error));
        else listed.set(room, [room, known ? known[1] : (positions.get(room) ?? begins), entrance ?? known?.[2]]);
      });
      feed.onEnd(stop);
      begun = true;
      // A group that the user joins later starts where they join.
      for (const room of positions.keys()) if (!listed.has(room)) positions.delete(room);
      await startInPortions([...listed.values()], ROOMS_AT_ONCE, (room) => feed.add(...room));
      positions.clear();
      return feed;
    } catch (error) {
      feed.end();
      throw error;
    }
  }

  /** @throws ChatError NOT_A_MEMBER */
  async #standing(roomId: RoomId, userId: UserId) {
    const standing = await this.#rooms.standing(roomId, userId);
    if (!standing) throw refusal("NOT_A_MEMBER", roomId);
    return standing;
  }
}

/** @throws ChatError BAD_USER_INPUT for an invalid position, for two positions of one room, and for a position of another room */
function positionsByRoom(after: string[], roomId: RoomId | null | undefined): Map<RoomId, Position> {
  const positions = new Map<RoomId, Position>();
  for (const text of after) {
    const position = decodePosition(text, "after");
    readRoomId(position.roomId, "after");
    if (roomId != null && position.roomId !== roomId) throw badInput("after", `must be a position of room ${roomId}.`);
    if (positions.has(position.roomId)) throw badInput("after", `has two positions of room ${position.roomId}. Give at most one.`);
    positions.set(position.roomId, position);
  }
  return positions;
}
