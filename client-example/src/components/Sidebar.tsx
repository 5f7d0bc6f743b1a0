import { useMemo, useState } from "react";
import type { Room } from "../chat/rooms";
import { usePeople } from "../hooks/usePeople";
import { usePresence } from "../hooks/usePresence";
import type { Me } from "../hooks/useSession";
import { Avatar } from "./Avatar";
import { ConnectionStatus } from "./ConnectionStatus";
import { Icon } from "./Icon";
import { Invitations } from "./Invitations";
import { PersonName } from "./PersonName";
import { RoomList } from "./RoomList";
import "./Sidebar.css";

interface Props {
  me: Me;
  rooms: Room[];
  isLoaded: boolean;
  shown: string | undefined;
  problem: string;
  onShow: (roomId: string) => void;
  onTalkTo: (userId: string) => void;
  onNewGroup: () => void;
  onKeepAccount: () => void;
  onSignOut: () => void;
}

/** The user's rooms and all people, with a search. */
export function Sidebar({ me, rooms, isLoaded, shown, problem, onShow, onTalkTo, onNewGroup, onKeepAccount, onSignOut }: Props) {
  const [search, setSearch] = useState("");
  const words = search.trim();
  const found = useMemo(() => rooms.filter(({ name }) => name.toLowerCase().includes(words.toLowerCase())), [rooms, words]);

  return (
    <aside className="sidebar" aria-label="Rooms and people">
      <header className="bar">
        <h1 className="wordmark">Palaver</h1>
        <ConnectionStatus />
      </header>
      <label className="search">
        <Icon name="search" />
        <span className="unseen">Search rooms and people</span>
        <input
          type="search"
          placeholder="Search rooms and people"
          value={search}
          maxLength={64}
          onChange={(event) => setSearch(event.target.value)}
        />
      </label>
      <div className="lists">
        <Invitations onShow={onShow} />
        <nav aria-labelledby="rooms">
          <div className="list-head">
            <h2 id="rooms">Rooms</h2>
            {!me.guest && (
              <button type="button" className="link" onClick={onNewGroup}>
                <Icon name="add" /> New group
              </button>
            )}
          </div>
          {!isLoaded && <p className="quiet">Loading…</p>}
          {isLoaded && found.length === 0 && <p className="quiet">No rooms found</p>}
          <RoomList rooms={found} shown={shown} me={me.id} onShow={onShow} />
        </nav>
        <p className="problem" role="alert">
          {problem}
        </p>
        <People me={me.id} search={words} onTalkTo={onTalkTo} />
      </div>
      <footer className="bar">
        <Avatar name={me.name} />
        <span className="ellipsis who">
          <span className="unseen">Signed in as </span>
          <strong>
            <bdi>{me.name}</bdi>
          </strong>
          {me.guest && <span className="quiet"> guest</span>}
        </span>
        <span className="actions">
          {me.guest && (
            <button type="button" className="link" onClick={onKeepAccount}>
              Create account
            </button>
          )}
          <button type="button" className="link" onClick={onSignOut}>
            Sign out
          </button>
        </span>
      </footer>
    </aside>
  );
}

/** People to talk to in private. */
function People({ me, search, onTalkTo }: { me: string; search: string; onTalkTo: (userId: string) => void }) {
  const { people, isLoading, loadMore } = usePeople(search);
  const others = people.filter(({ id }) => id !== me);
  const online = usePresence(others.map(({ id }) => id));
  return (
    <section aria-labelledby="people">
      <div className="list-head">
        <h2 id="people">People</h2>
      </div>
      {!isLoading && others.length === 0 && <p className="quiet">{search === "" ? "No one else is here yet." : "No one found"}</p>}
      <ul>
        {others.map((person) => (
          <li key={person.id}>
            <button type="button" className="row small" onClick={() => onTalkTo(person.id)}>
              <Avatar name={person.name} isOnline={online.has(person.id)} />
              <PersonName person={person} />
            </button>
          </li>
        ))}
      </ul>
      {loadMore && (
        <button type="button" className="link" onClick={loadMore}>
          Show more
        </button>
      )}
    </section>
  );
}
