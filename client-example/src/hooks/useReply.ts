import { useEffect, useState } from "react";
import { ask } from "../chat/api";
import { AssistantReplyDocument, type AssistantReplySubscription, CancelReplyDocument } from "../gql/graphql";
import { useChat, useStore } from "./useChat";

export type Reply = AssistantReplySubscription["assistantReply"];

/**
 * The answer that the assistant is writing in a room, as it grows. It stays until its message arrives.
 * After a reconnect, the server sends its current state.
 */
export function useReply(roomId: string) {
  const { client, live } = useChat();
  const { connects } = useStore(live.status);
  const [reply, setReply] = useState<Reply>();

  // biome-ignore lint/correctness/useExhaustiveDependencies: subscribes again at each connect, as the answer may have ended
  useEffect(() => {
    setReply(undefined);
    return live.subscribe(AssistantReplyDocument, { roomId }, ({ assistantReply }) => setReply(assistantReply));
  }, [live, roomId, connects]);

  return {
    reply,
    /** Cancels the user's question in this room. @throws Refused */
    cancel: async () => {
      await ask(client.mutation(CancelReplyDocument, { roomId }));
    },
    /** Hides a problem that the user has read. */
    dismiss: () => setReply(undefined),
  };
}
