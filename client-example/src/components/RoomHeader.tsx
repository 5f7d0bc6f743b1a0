import { useState } from "react";
import type { Room } from "../chat/rooms";
import { usePresence } from "../hooks/usePresence";
import type { Me } from "../hooks/useSession";
import { Avatar } from "./Avatar";
import { BlockButton } from "./BlockButton";
import { GroupDetails } from "./GroupDetails";
import { Icon } from "./Icon";
import { Marks } from "./PersonName";

interface Props {
  room: Room;
  me: Me;
  onClose: () => void;
  onTalkTo: (userId: string) => void;
}

/** The current room's name, status and actions. */
export function RoomHeader({ room, me, onClose, onTalkTo }: Props) {
  const { name, kind, memberCount } = room;
  const partner = room.peer?.id;
  const online = usePresence(partner ? [partner] : []);
  const [showsDetails, setShowsDetails] = useState(false);
  const about = {
    GENERAL: () => "Everyone",
    PRIVATE: () => (partner !== undefined && online.has(partner) ? "Online" : "Offline"),
    GROUP: () => (memberCount === 1 ? "1 member" : `${memberCount || "…"} members`),
  };
  return (
    <header className="bar">
      <button type="button" className="icon-button back" aria-label="Back to rooms" onClick={onClose}>
        <Icon name="back" />
      </button>
      <Avatar name={name} letter={kind === "GENERAL" ? "#" : undefined} />
      <div className="room-title">
        <h2 className="ellipsis">
          <bdi>{name}</bdi> {room.peer && <Marks person={room.peer} />}
        </h2>
        <p className="quiet">{about[kind]()}</p>
      </div>
      {partner !== undefined && <BlockButton key={partner} userId={partner} />}
      {kind === "GROUP" && (
        <button type="button" className="icon-button" aria-label="Members and settings" onClick={() => setShowsDetails(true)}>
          <Icon name="people" />
        </button>
      )}
      {showsDetails && <GroupDetails room={room} me={me} onTalkTo={onTalkTo} onClose={() => setShowsDetails(false)} />}
    </header>
  );
}
