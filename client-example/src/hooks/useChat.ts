import { createContext, use, useCallback, useSyncExternalStore } from "react";
import type { Chat } from "../chat/chat";
import type { Store } from "../chat/store";

export const ChatContext = createContext<Chat | undefined>(undefined);

/** What the page of the signed-in user knows and does. */
export function useChat(): Chat {
  const chat = use(ChatContext);
  if (!chat) throw new Error("useChat is for components inside <ChatContext>");
  return chat;
}

/** The value of a store, or what is selected of it: the component renders again when that is another. */
export function useStore<T, Selected = T>(store: Store<T>, select?: (value: T) => Selected): Selected {
  const read = useCallback(() => (select ? select(store.get()) : (store.get() as unknown as Selected)), [store, select]);
  return useSyncExternalStore(store.listen, read);
}
