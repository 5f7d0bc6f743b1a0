import { memo } from "react";
import type { Room } from "../chat/rooms";
import { usePresence } from "../hooks/usePresence";
import { asShortTime } from "../time";
import { Avatar } from "./Avatar";
import { asText, Marks } from "./PersonName";

interface Props {
  rooms: Room[];
  shown: string | undefined;
  me: string;
  onShow: (roomId: string) => void;
}

/** The user's rooms, each with its newest message and unread count. */
export const RoomList = memo(function RoomList({ rooms, shown, me, onShow }: Props) {
  const online = usePresence(rooms.flatMap(({ peer }) => peer?.id ?? []));
  return (
    <ul>
      {rooms.map((room) => {
        const { id, name, kind, peer, newest, unread } = room;
        return (
          <li key={id}>
            <button type="button" className="row" aria-current={id === shown ? "true" : undefined} onClick={() => onShow(id)}>
              <Avatar name={name} letter={kind === "GENERAL" ? "#" : undefined} isOnline={peer ? online.has(peer.id) : undefined} />
              <span className="row-text">
                <span className="row-title">
                  <span className="ellipsis">
                    <strong>
                      <bdi>{name}</bdi>
                    </strong>{" "}
                    {peer && <Marks person={peer} />}
                  </span>
                  {newest && <time dateTime={newest.sentAt}>{asShortTime(newest.sentAt)}</time>}
                </span>
                <span className="row-title">
                  <span className="ellipsis quiet">{newest ? preview(newest, me) : "No messages yet"}</span>
                  {unread.count > 0 && (
                    <span className={unread.mentions > 0 ? "badge mentioned" : "badge"}>
                      {unread.mentions > 0 && <span aria-hidden="true">@ </span>}
                      {unread.count > 99 ? "99+" : unread.count}
                      <span className="unseen">
                        {" "}
                        unread{unread.mentions > 0 && `, ${unread.mentions} ${unread.mentions === 1 ? "mention" : "mentions"}`}
                      </span>
                    </span>
                  )}
                </span>
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
});

function preview({ from, text }: NonNullable<Room["newest"]>, me: string): string {
  return `${from.id === me ? "You" : asText(from)}: ${text.slice(0, 200)}`; // more never fits
}
