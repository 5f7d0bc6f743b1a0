import { useCallback, useEffect, useMemo, useState } from "react";
import type { Rooms } from "../chat/rooms";
import type { PageKind } from "../chat/timeline";
import { useChat, useStore } from "./useChat";

/**
 * A room, a range of its messages, and functions that load more of them. The newest page, the members and the pinned messages are loaded on
 * first use.
 * @param roomId one of the user's rooms
 */
export function useRoom(roomId: string) {
  const chat = useChat();
  const room = useStore(
    chat.rooms,
    useCallback((rooms: Rooms) => rooms.byId.get(roomId), [roomId]),
  );
  const [problem, setProblem] = useState<string>();
  const { kind, timeline, members, pins } = room ?? {};

  // The same functions at each render, so that rows that receive them do not render again.
  const actions = useMemo(() => {
    const load = (page: PageKind, messageId?: string) => {
      setProblem(undefined);
      return chat.load(roomId, page, messageId).catch((error: Error) => setProblem(error.message));
    };
    return {
      loadOlder: () => load("older"),
      loadNewer: () => load("newer"),
      /** Replaces the range with the one around a message. */
      loadAround: (messageId: string) => load("around", messageId),
      loadNewest: () => load("newest"),
      /** Trims the range at one end if it is too long. */
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

  const lacksPins = kind !== undefined && kind !== "GENERAL" && pins === undefined;
  useEffect(() => {
    if (lacksPins) chat.loadPins(roomId).catch((error: Error) => setProblem(error.message));
  }, [chat, roomId, lacksPins]);

  return {
    room,
    /** Oldest first; undefined until the first page is loaded. */
    messages: timeline?.messages,
    hasOlder: timeline !== undefined && timeline.older !== null,
    /** Whether there are messages after these, as after a jump to an old one. */
    hasNewer: timeline !== undefined && timeline.newer !== null,
    isLoading: room?.loading !== undefined,
    problem,
    /** Moves the read marker to the newest message, here and on the user's other devices. */
    read: () => room && chat.read(room),
    ...actions,
  };
}
