import { useCallback, useState } from "react";
import { ask } from "../chat/api";
import { newClientId } from "../chat/client-id";
import {
  DeleteMessageDocument,
  EditMessageDocument,
  type MessagePartsFragment as Message,
  PinMessageDocument,
  ReactDocument,
  RetryReplyDocument,
  UnpinMessageDocument,
} from "../gql/graphql";
import { useChat } from "./useChat";

/** Actions on stored messages. `problem` says why the last attempt failed. */
export function useMessageActions() {
  const { client, apply } = useChat();
  const [problem, setProblem] = useState<string>();

  /** @returns whether it succeeded */
  const attempt = useCallback(async (doing: () => Promise<void>): Promise<boolean> => {
    setProblem(undefined);
    try {
      await doing();
      return true;
    } catch (error) {
      setProblem((error as Error).message);
      return false;
    }
  }, []);

  return {
    problem,
    edit: useCallback(
      (id: string, text: string) =>
        attempt(async () =>
          apply({ type: "changed", message: (await ask(client.mutation(EditMessageDocument, { id, text }))).editMessage }),
        ),
      [attempt, apply, client],
    ),
    /** An event reports the deletion to other members and to this page. */
    remove: useCallback(
      (id: string) =>
        attempt(async () => {
          await ask(client.mutation(DeleteMessageDocument, { id }));
        }),
      [attempt, client],
    ),
    /** Pins a message, or unpins it. An event reports it to other members and to this page. */
    pin: useCallback(
      (messageId: string, on: boolean) =>
        attempt(async () => {
          await (on ? ask(client.mutation(PinMessageDocument, { messageId })) : ask(client.mutation(UnpinMessageDocument, { messageId })));
        }),
      [attempt, client],
    ),
    /** Asks the assistant again, for a new answer or for the rest of one. */
    retry: useCallback(
      (messageId: string, goOn: boolean) =>
        attempt(async () => {
          await ask(client.mutation(RetryReplyDocument, { messageId, continue: goOn, clientRetryId: newClientId() }));
        }),
      [attempt, client],
    ),
    react: useCallback(
      ({ id }: Message, emoji: string, on: boolean) =>
        attempt(async () =>
          apply({ type: "changed", message: (await ask(client.mutation(ReactDocument, { messageId: id, emoji, on }))).react }),
        ),
      [attempt, apply, client],
    ),
  };
}
