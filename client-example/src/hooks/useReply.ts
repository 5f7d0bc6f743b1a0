import { useEffect, useState } from "react";
import { ask } from "../chat/api";
import { AssistantReplyDocument, type AssistantReplySubscription, CancelReplyDocument } from "../gql/graphql";
import { useChat, useStore } from "./useChat";

export type Reply = AssistantReplySubscription["assistantReply"];

/**
 * The answer that the assistant writes in a room, as it grows; it stays until the message that it becomes is there.
 * After a reconnect the server tells how it stands.
 */
export function useReply(roomId: string) {
  const { client, live } = useChat();
  const { connects } = useStore(live.status);
  const [reply, setReply] = useState<Reply>();

  // biome-ignore lint/correctness/useExhaustiveDependencies: at each connect anew; what was written meanwhile may be over
  useEffect(() => {
    setReply(undefined);
    return live.subscribe(AssistantReplyDocument, { roomId }, ({ assistantReply }) => setReply(assistantReply));
  }, [live, roomId, connects]);

  return {
    reply,
    /** Takes back what the user has asked here. @throws Refused */
    cancel: async () => {
      await ask(client.mutation(CancelReplyDocument, { roomId }));
    },
    /** For a problem that was read. */
    dismiss: () => setReply(undefined),
  };
}
