import { useEffect, useState } from "react";
import { ask, insist, useApi } from "../api";
import { type MessagePartsFragment as Message, MessagesDocument, type MessagesQuery } from "../gql/graphql";
import { type History, withArrivals, withMessages } from "../history";

/**
 * A room's messages: its newest page, older ones on request, and what arrives.
 * @param loaded of `useRooms`; it is loaded anew when that grows
 */
export function useRoom(roomId: string, loaded: number) {
  const { client, arrivals } = useApi();
  const [history, setHistory] = useState<History>();
  const [isLoading, setIsLoading] = useState(false);
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    if (loaded === 0) return;
    let early: Message[] | undefined = []; // what arrives before the page does
    const unlisten = arrivals.listen((message) => {
      if (message.roomId !== roomId) return;
      if (early) early.push(message);
      else setHistory((known) => known && withArrivals(known, [message]));
    });
    let over = false;
    insist(() => client.query(MessagesDocument, { roomId })).then(
      (page) => {
        if (over) return;
        setHistory(withArrivals(toHistory(page), early ?? []));
        early = undefined;
      },
      (error: Error) => over || setProblem(error.message),
    );
    return () => {
      over = true;
      unlisten();
    };
  }, [client, arrivals, roomId, loaded]);

  return {
    messages: history?.messages,
    hasOlder: history !== undefined && history.before !== null,
    isLoading,
    problem,
    async loadOlder(): Promise<void> {
      if (!history?.before || isLoading) return;
      setIsLoading(true);
      setProblem(undefined);
      try {
        const { messages, before } = toHistory(await ask(client.query(MessagesDocument, { roomId, before: history.before })));
        setHistory((known) => known && withMessages({ ...known, before }, messages));
      } catch (error) {
        setProblem((error as Error).message);
      } finally {
        setIsLoading(false);
      }
    },
  };
}

function toHistory({ messages: { nodes, pageInfo } }: MessagesQuery): History {
  return { messages: nodes, before: pageInfo.hasPreviousPage ? pageInfo.startCursor : null };
}
