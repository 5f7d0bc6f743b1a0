import { createContext, use, useCallback, useSyncExternalStore } from "react";
import type { Chat } from "../chat/chat";
import type { Store } from "../chat/store";

export const ChatContext = createContext<Chat | undefined>(undefined);

/** The state and actions of the signed-in user's page. */
export function useChat(): Chat {
  const chat = use(ChatContext);
  if (!chat) throw new Error("useChat must be called inside <ChatContext>.");
  return chat;
}

/** The value of a store, or a selection from it. The component renders again when it changes. */
export function useStore<T, Selected = T>(store: Store<T>, select?: (value: T) => Selected): Selected {
  const read = useCallback(() => (select ? select(store.get()) : (store.get() as unknown as Selected)), [store, select]);
  return useSyncExternalStore(store.listen, read);
}
