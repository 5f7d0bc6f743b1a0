import { useEffect, useState } from "react";
import { useChat } from "../hooks/useChat";
import { useRooms } from "../hooks/useRooms";
import type { Me, useSession } from "../hooks/useSession";
import { useShownRoom } from "../hooks/useShownRoom";
import { OfflineNotice } from "./ConnectionStatus";
import { Conversation } from "./Conversation";
import { KeepAccount } from "./KeepAccount";
import { NewGroup } from "./NewGroup";
import { Sidebar } from "./Sidebar";
import "./ChatPage.css";

interface Props {
  me: Me;
  register: ReturnType<typeof useSession>["register"];
  /** @throws Refused */
  onSignOut: () => Promise<void>;
}

/** The page of a signed-in user: rooms and people beside the current room, or one of the two on a phone. */
export function ChatPage({ me, register, onSignOut }: Props) {
  const chat = useChat();
  const [shown, show] = useShownRoom();
  const { rooms, isLoaded } = useRooms();
  const [isMakingGroup, setIsMakingGroup] = useState(false);
  const [isKeepingAccount, setIsKeepingAccount] = useState(false);
  const [problem, setProblem] = useState("");
  const room = rooms.find(({ id }) => id === shown);

  const unread = rooms.reduce((sum, { unread: { count } }) => sum + count, 0);
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Palaver` : "Palaver";
  }, [unread]);

  async function talkTo(userId: string): Promise<void> {
    setProblem("");
    try {
      show(await chat.openPrivate(userId));
    } catch (error) {
      setProblem((error as Error).message);
    }
  }

  async function signOut(): Promise<void> {
    setProblem("");
    try {
      await onSignOut();
      chat.forget();
      show(undefined);
    } catch (error) {
      setProblem((error as Error).message);
    }
  }

  return (
    <div className={room ? "chat has-room" : "chat"}>
      <Sidebar
        me={me}
        rooms={rooms}
        isLoaded={isLoaded}
        shown={shown}
        problem={problem}
        onShow={show}
        onTalkTo={(userId) => void talkTo(userId)}
        onNewGroup={() => setIsMakingGroup(true)}
        onKeepAccount={() => setIsKeepingAccount(true)}
        onSignOut={() => void signOut()}
      />
      <div className="pane">
        <OfflineNotice />
        {room ? (
          <Conversation key={room.id} roomId={room.id} me={me} onClose={() => show(undefined)} onTalkTo={(userId) => void talkTo(userId)} />
        ) : (
          <main className="nothing">{isLoaded && <p>Select a room or a person to start chatting.</p>}</main>
        )}
      </div>
      {isKeepingAccount && <KeepAccount register={register} onClose={() => setIsKeepingAccount(false)} />}
      {isMakingGroup && (
        <NewGroup
          me={me}
          onDone={(roomId) => {
            setIsMakingGroup(false);
            if (roomId !== undefined) show(roomId);
          }}
        />
      )}
    </div>
  );
}
