import { useMemo } from "react";
import type { Outgoing } from "../chat/outbox";
import { useChat, useStore } from "./useChat";

/** The user's messages to a room that are not yet known to be stored, oldest first, and the actions on one that failed. */
export function useOutbox(roomId: string) {
  const { outbox } = useChat();
  const all = useStore(outbox.outgoing);
  const outgoing = useMemo(() => all.filter((one) => one.roomId === roomId), [all, roomId]);
  return { outgoing, sendAgain: (one: Outgoing) => outbox.sendAgain(one), discard: (one: Outgoing) => outbox.drop(one.clientMessageId) };
}
