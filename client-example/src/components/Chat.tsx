import { useEffect, useState } from "react";
import type { SessionPartsFragment } from "../gql/graphql";
import { useOutbox } from "../hooks/useOutbox";
import { useRooms } from "../hooks/useRooms";
import { useShownRoom } from "../hooks/useShownRoom";
import { ConnectionState } from "./ConnectionState";
import { Conversation } from "./Conversation";
import { People } from "./People";
import { RoomList } from "./RoomList";

interface Props {
  me: SessionPartsFragment["user"];
  onSignOut: () => void;
}

/** The page of a signed-in user: rooms and people beside the room that is shown; on a phone one of the two. */
export function Chat({ me, onSignOut }: Props) {
  const [shown, show] = useShownRoom();
  const { rooms, unread, loaded, openPrivate } = useRooms(me.id, shown);
  const outbox = useOutbox(me.id);
  const [problem, setProblem] = useState("");
  const room = rooms.find(({ id }) => id === shown);

  const unreadInAll = Object.values(unread).reduce((sum, count) => sum + count, 0);
  useEffect(() => {
    document.title = unreadInAll > 0 ? `(${unreadInAll}) Palaver` : "Palaver";
  }, [unreadInAll]);

  async function talkTo(userId: string): Promise<void> {
    setProblem("");
    try {
      show(await openPrivate(userId));
    } catch (error) {
      setProblem((error as Error).message);
    }
  }

  return (
    <div className={room ? "chat has-room" : "chat"}>
      <aside className="sidebar">
        <header className="bar">
          <h1 className="wordmark">Palaver</h1>
          <ConnectionState />
        </header>
        <div className="lists">
          <RoomList rooms={rooms} shown={shown} unread={unread} me={me.id} isLoading={loaded === 0} onShow={show} />
          <p className="problem" role="alert">
            {problem}
          </p>
          <People me={me.id} onTalkTo={(userId) => void talkTo(userId)} />
        </div>
        <footer className="bar">
          <span className="ellipsis">
            Signed in as <strong>{me.name}</strong>
          </span>
          <button
            type="button"
            className="link"
            onClick={() => {
              show(undefined);
              onSignOut();
            }}
          >
            Sign out
          </button>
        </footer>
      </aside>
      {room ? (
        <Conversation key={room.id} room={room} me={me} loaded={loaded} outbox={outbox} onClose={() => show(undefined)} />
      ) : (
        <main className="conversation nothing">{loaded > 0 && <p>Choose a room, or someone to talk to.</p>}</main>
      )}
    </div>
  );
}
