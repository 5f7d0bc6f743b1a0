import { useEffect, useState } from "react";
import { TypingInDocument } from "../gql/graphql";
import { useChat } from "./useChat";

/** The names of the people who are typing in a room. */
export function useTyping(roomId: string): string[] {
  const { live } = useChat();
  const [typists, setTypists] = useState<ReadonlyMap<string, string>>(new Map());
  useEffect(() => {
    const stop = live.subscribe(TypingInDocument, { roomId }, ({ typing: { typing, user } }) =>
      setTypists((known) => {
        const next = new Map(known);
        if (typing) next.set(user.id, user.name);
        else next.delete(user.id);
        return next;
      }),
    );
    return () => {
      stop();
      setTypists(new Map());
    };
  }, [live, roomId]);
  return [...typists.values()];
}
