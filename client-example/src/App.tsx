import { useEffect, useState } from "react";
import { Chat } from "./chat/chat";
import { ChatPage } from "./components/ChatPage";
import { SignIn } from "./components/SignIn";
import { ChatContext } from "./hooks/useChat";
import { type Session, useSession } from "./hooks/useSession";

/** Whoever is signed in has a chat; who is not may sign in. */
export function App() {
  const { session, signOut, over, ...entrances } = useSession();
  switch (session.state) {
    case "checking":
      return <main className="nothing">{session.problem && <p role="status">{session.problem} Trying again…</p>}</main>;
    case "out":
      return <SignIn isOver={session.isOver} demoAccounts={session.demoAccounts} {...entrances} />;
    case "in":
      return <SignedIn key={session.id} session={session} onSignOut={signOut} onSessionOver={over} />;
  }
}

interface Props {
  session: Extract<Session, { state: "in" }>;
  onSignOut: () => Promise<void>;
  onSessionOver: () => void;
}

function SignedIn({ session: { me, until }, onSignOut, onSessionOver }: Props) {
  const [chat, setChat] = useState<Chat>();
  useEffect(() => {
    const opened = new Chat(me.id, onSessionOver);
    setChat(opened);
    return () => opened.close();
  }, [me.id, onSessionOver]);
  return (
    chat && (
      <ChatContext value={chat}>
        <ChatPage me={me} until={until} onSignOut={onSignOut} />
      </ChatContext>
    )
  );
}
