import { useState } from "react";
import type { Room } from "../chat/rooms";
import { usePresence } from "../hooks/usePresence";
import type { Me } from "../hooks/useSession";
import { Avatar } from "./Avatar";
import { BlockButton } from "./BlockButton";
import { GroupDetails } from "./GroupDetails";
import { Icon } from "./Icon";
import { Marks } from "./PersonName";
import { Pins } from "./Pins";

interface Props {
  room: Room;
  me: Me;
  onClose: () => void;
  onTalkTo: (userId: string) => void;
  /** Shows a pinned message in the list. */
  onShow: (messageId: string) => void;
  onUnpin: (messageId: string) => unknown;
}

/** The current room's name, status and actions. */
export function RoomHeader({ room, me, onClose, onTalkTo, onShow, onUnpin }: Props) {
  const { name, kind, memberCount, pins = [] } = room;
  const partner = room.peer?.id;
  const online = usePresence(partner ? [partner] : []);
  const [showsDetails, setShowsDetails] = useState(false);
  const [showsPins, setShowsPins] = useState(false);
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
      {pins.length > 0 && (
        <button type="button" className="pins-button" aria-label={`Pinned messages: ${pins.length}`} onClick={() => setShowsPins(true)}>
          <Icon name="pin" /> {pins.length}
        </button>
      )}
      {partner !== undefined && <BlockButton key={partner} userId={partner} />}
      {kind === "GROUP" && (
        <button type="button" className="icon-button" aria-label="Members and settings" onClick={() => setShowsDetails(true)}>
          <Icon name="people" />
        </button>
      )}
      {showsPins && <Pins pins={pins} onShow={onShow} onUnpin={onUnpin} onClose={() => setShowsPins(false)} />}
      {showsDetails && <GroupDetails room={room} me={me} onTalkTo={onTalkTo} onClose={() => setShowsDetails(false)} />}
    </header>
  );
}
