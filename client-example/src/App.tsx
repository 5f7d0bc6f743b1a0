import { useEffect, useState } from "react";
import { Chat } from "./chat/chat";
import { ChatPage } from "./components/ChatPage";
import { SignIn } from "./components/SignIn";
import { ChatContext } from "./hooks/useChat";
import { type Me, useSession } from "./hooks/useSession";

/** The chat for a signed-in user, otherwise the sign-in page. */
export function App() {
  const { session, signOut, over, ...entrances } = useSession();
  switch (session.state) {
    case "checking":
      return <main className="nothing">{session.problem && <p role="status">{session.problem} Retrying…</p>}</main>;
    case "out":
      return <SignIn isOver={session.isOver} demoAccounts={session.demoAccounts} {...entrances} />;
    case "in":
      // A guest who creates an account keeps the session and gets a username. The new key replaces the guest's connections.
      return (
        <SignedIn
          key={`${session.id} ${session.me.username}`}
          me={session.me}
          register={entrances.register}
          onSignOut={signOut}
          onSessionOver={over}
        />
      );
  }
}

interface Props {
  me: Me;
  register: ReturnType<typeof useSession>["register"];
  onSignOut: () => Promise<void>;
  onSessionOver: () => void;
}

function SignedIn({ me, register, onSignOut, onSessionOver }: Props) {
  const [chat, setChat] = useState<Chat>();
  useEffect(() => {
    const opened = new Chat(me.id, onSessionOver);
    setChat(opened);
    return () => opened.close();
  }, [me.id, onSessionOver]);
  return (
    chat && (
      <ChatContext value={chat}>
        <ChatPage me={me} register={register} onSignOut={onSignOut} />
      </ChatContext>
    )
  );
}
