import { useCallback, useEffect, useEffectEvent, useState } from "react";
import { ask, insist, useApi } from "../api";
import {
  type MessagePartsFragment as Message,
  MessageAddedDocument,
  OpenPrivateRoomDocument,
  type RoomPartsFragment as Room,
  RoomShownDocument,
  RoomsDocument,
} from "../gql/graphql";
import { pause, resumeFrom } from "../live";
import { useConnection } from "./useConnection";

/**
 * The user's rooms, the one with the newest message first, and what happens in them.
 *
 * The order of the start is why no message is missed or doubled: load the rooms with their positions, then subscribe
 * after those positions, then load the room that is read. Positions move on with what the subscription brings and with
 * nothing else: the answer to a `send` can overtake messages that are still on their way.
 *
 * @param shown the room that is read; messages of the others count as unread
 */
export function useRooms(me: string, shown: string | undefined) {
  const { client, live, arrivals } = useApi();
  const { connects } = useConnection();
  const [rooms, setRooms] = useState<Room[]>([]);
  const [unread, setUnread] = useState<Record<string, number>>({});
  const [positions] = useState(() => new Map<string, string>());
  // The rooms are followed from the positions of the load with this number; a load anew has the next one.
  const [wanted, setWanted] = useState(1);
  const [loaded, setLoaded] = useState(0);

  const add = useCallback(
    (added: Room[]) => {
      for (const { id, messages } of added) if (!positions.has(id)) positions.set(id, messages.position);
      setRooms((known) => added.reduce(withRoom, known).toSorted(byNewest));
    },
    [positions],
  );

  // At each connect: rooms that appeared while there was none are in no subscription.
  useEffect(() => {
    if (connects === 0) return;
    let over = false;
    insist(() => client.query(RoomsDocument, {})).then(
      (data) => {
        if (over) return;
        add(data.rooms);
        setLoaded(wanted);
      },
      () => {}, // the session is over
    );
    return () => {
      over = true;
    };
  }, [client, add, connects, wanted]);

  useEffect(() => live.subscribe(RoomShownDocument, {}, ({ roomShown }) => add([roomShown])), [live, add]);

  const arrived = useEffectEvent((message: Message) => {
    setRooms((known) => known.map((room) => (room.id === message.roomId ? withNewest(room, [message]) : room)).toSorted(byNewest));
    if (message.from.id !== me && message.roomId !== shown)
      setUnread((counts) => ({ ...counts, [message.roomId]: (counts[message.roomId] ?? 0) + 1 }));
  });

  // HISTORY_RESET: a position can no longer be continued, so everything is loaded anew. Other refusals: the same.
  const startAnew = useEffectEvent(async () => {
    await pause(1_000); // ms; for a server that refuses again
    positions.clear();
    setWanted(loaded + 1);
  });

  useEffect(() => {
    if (loaded === 0) return;
    return live.subscribe(
      MessageAddedDocument,
      resumeFrom(positions),
      ({ messageAdded: message }) => {
        if (message.position !== null) positions.set(message.roomId, message.position);
        arrived(message);
        arrivals.emit(message);
      },
      () => void startAnew(),
    );
  }, [live, arrivals, positions, loaded]);

  useEffect(() => {
    if (shown !== undefined) setUnread(({ [shown]: _, ...others }) => others);
  }, [shown]);

  return {
    rooms,
    unread,
    /** Grows when everything was loaded, and again when it was loaded anew; 0 before. */
    loaded,
    /**
     * The id of the private room with this user.
     * @throws Refused
     */
    async openPrivate(userId: string): Promise<string> {
      const { openPrivateRoom: room } = await ask(client.mutation(OpenPrivateRoomDocument, { userId }));
      add([room]);
      return room.id;
    },
  };
}

function withRoom(rooms: Room[], added: Room): Room[] {
  const known = rooms.find(({ id }) => id === added.id);
  if (!known) return [...rooms, added];
  return rooms.map((room) => (room === known ? withNewest(added, known.messages.nodes) : room));
}

/** The room with the newest of its and these messages as its newest. */
function withNewest(room: Room, messages: Message[]): Room {
  const newest = [...room.messages.nodes, ...messages].reduce<Message[]>(
    ([first], next) => [first && first.sentAt > next.sentAt ? first : next],
    [],
  );
  return { ...room, messages: { ...room.messages, nodes: newest } };
}

const newestOf = ({ messages }: Room) => messages.nodes[0]?.sentAt ?? "";
const byNewest = (one: Room, other: Room) => newestOf(other).localeCompare(newestOf(one));
