import { useEffect, useState } from "react";
import { Chat } from "./chat/chat";
import { ChatPage } from "./components/ChatPage";
import { SignIn } from "./components/SignIn";
import { ChatContext } from "./hooks/useChat";
import { type Me, useSession } from "./hooks/useSession";

/** Whoever is signed in has a chat; who is not may sign in. */
export function App() {
  const { session, isOver, signIn, register, signOut, over } = useSession();
  if (!session) return <SignIn isOver={isOver} signIn={signIn} register={register} />;
  return <SignedIn key={session.me.id} me={session.me} onSignOut={signOut} onSessionOver={over} />;
}

function SignedIn({ me, onSignOut, onSessionOver }: { me: Me; onSignOut: () => void; onSessionOver: () => void }) {
  const [chat, setChat] = useState<Chat>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: one connection for as long as this user is signed in
  useEffect(() => {
    const opened = new Chat(me.id, onSessionOver);
    setChat(opened);
    return () => opened.close();
  }, [me.id]);
  return (
    chat && (
      <ChatContext value={chat}>
        <ChatPage me={me} onSignOut={onSignOut} />
      </ChatContext>
    )
  );
}
