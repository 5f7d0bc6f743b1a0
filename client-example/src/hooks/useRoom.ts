import { useCallback, useEffect, useMemo, useState } from "react";
import type { Rooms } from "../chat/rooms";
import type { PageKind } from "../chat/timeline";
import { useChat, useStore } from "./useChat";

/**
 * A room: what is known of it, a stretch of its messages, and how to see more of them. Its newest page and its members
 * are loaded when it is first used.
 * @param roomId of a room of the user's
 */
export function useRoom(roomId: string) {
  const chat = useChat();
  const room = useStore(
    chat.rooms,
    useCallback((rooms: Rooms) => rooms.byId.get(roomId), [roomId]),
  );
  const [problem, setProblem] = useState<string>();
  const { kind, timeline, members } = room ?? {};

  // The same functions at each render: rows that get them are not rendered again.
  const actions = useMemo(() => {
    const load = (page: PageKind, messageId?: string) => {
      setProblem(undefined);
      return chat.load(roomId, page, messageId).catch((error: Error) => setProblem(error.message));
    };
    return {
      loadOlder: () => load("older"),
      loadNewer: () => load("newer"),
      /** Shows the stretch around a message instead. */
      loadAround: (messageId: string) => load("around", messageId),
      loadNewest: () => load("newest"),
      /** Drops the messages at one end, where there are too many. */
      trim: (end: "older" | "newer") => chat.trim(roomId, end),
      send: (text: string, replyTo: string | null) => chat.send(roomId, text, replyTo),
    };
  }, [chat, roomId]);

  const isWanting = room !== undefined && !timeline && !room.loading && problem === undefined;
  useEffect(() => {
    if (isWanting) void actions.loadNewest();
  }, [isWanting, actions]);

  const lacksMembers = kind !== undefined && kind !== "GENERAL" && members === undefined;
  useEffect(() => {
    if (lacksMembers) chat.loadMembers(roomId).catch((error: Error) => setProblem(error.message));
  }, [chat, roomId, lacksMembers]);

  return {
    room,
    /** Oldest first; undefined until the first page is there. */
    messages: timeline?.messages,
    hasOlder: timeline !== undefined && timeline.older !== null,
    /** Whether there are messages after these, as after a jump to an old one. */
    hasNewer: timeline !== undefined && timeline.newer !== null,
    isLoading: room?.loading !== undefined,
    problem,
    /** Tells the server and the user's other devices that they have seen the newest message. */
    read: () => room && chat.read(room),
    ...actions,
  };
}
