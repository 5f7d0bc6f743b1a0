import type { RoomPartsFragment as Room } from "../gql/graphql";
import { asShortTime } from "../time";
import { Avatar } from "./Avatar";

interface Props {
  rooms: Room[];
  shown: string | undefined;
  unread: Record<string, number>;
  me: string;
  isLoading: boolean;
  onShow: (roomId: string) => void;
}

export function RoomList({ rooms, shown, unread, me, isLoading, onShow }: Props) {
  return (
    <nav aria-labelledby="rooms">
      <h2 id="rooms">Rooms</h2>
      {isLoading && <p className="quiet">Loading…</p>}
      <ul>
        {rooms.map(({ id, name, kind, messages: { nodes } }) => {
          const count = unread[id] ?? 0;
          const [newest] = nodes;
          return (
            <li key={id}>
              <button type="button" className="row" aria-current={id === shown ? "true" : undefined} onClick={() => onShow(id)}>
                <Avatar name={name} letter={kind === "GENERAL" ? "#" : undefined} />
                <span className="row-text">
                  <span className="row-title">
                    <strong className="ellipsis">{name}</strong>
                    {newest && <time dateTime={newest.sentAt}>{asShortTime(newest.sentAt)}</time>}
                  </span>
                  <span className="row-title">
                    <span className="ellipsis quiet">{newest ? preview(newest, me) : "Nothing yet"}</span>
                    {count > 0 && (
                      <span className="badge">
                        {count}
                        <span className="unseen"> unread</span>
                      </span>
                    )}
                  </span>
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

function preview({ from, text }: Room["messages"]["nodes"][number], me: string): string {
  return `${from.id === me ? "You" : from.name}: ${text}`;
}
