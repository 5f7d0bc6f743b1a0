import { type FormEvent, useState } from "react";
import type { Room } from "../chat/rooms";
import { useGroup } from "../hooks/useGroup";
import { usePresence } from "../hooks/usePresence";
import type { Me } from "../hooks/useSession";
import { Avatar } from "./Avatar";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";
import { Invitees } from "./Invitees";
import { PeoplePicker } from "./PeoplePicker";
import { PersonName } from "./PersonName";

interface Props {
  room: Room;
  me: Me;
  onTalkTo: (userId: string) => void;
  onClose: () => void;
}

/** A group's members and settings. */
export function GroupDetails({ room, me, onTalkTo, onClose }: Props) {
  const { members = [], memberCount, name, membersMayInvite } = room;
  const group = useGroup(room, me.id);
  const online = usePresence(members.map(({ user }) => user.id));
  const [added, setAdded] = useState(0);
  const [isAdding, setIsAdding] = useState(false);
  const [isLeaving, setIsLeaving] = useState(false);

  function rename(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    void group.rename(String(new FormData(event.currentTarget).get("name")).trim());
  }

  async function change(invitations: Promise<boolean>): Promise<void> {
    await invitations;
    setAdded((count) => count + 1);
  }

  return (
    <Dialog title={name} onClose={onClose}>
      {group.isOwner && (
        <form className="rename" onSubmit={rename}>
          <label>
            Group name
            <input name="name" key={name} defaultValue={name} required maxLength={64} autoComplete="off" />
          </label>
          <button type="submit">Rename</button>
        </form>
      )}
      <ul className="members" aria-label="Members">
        {members.map(({ user, role }) => (
          <li key={user.id}>
            <button type="button" className="row small" disabled={user.id === me.id} onClick={() => onTalkTo(user.id)}>
              <Avatar name={user.name} isOnline={online.has(user.id)} />
              <PersonName person={user} />
              {role === "OWNER" && <span className="tag">owner</span>}
            </button>
            {group.isOwner && user.id !== me.id && (
              <button type="button" className="icon-button" aria-label={`Remove ${user.name}`} onClick={() => void group.remove(user.id)}>
                <Icon name="close" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {memberCount > members.length && <p className="quiet">and {memberCount - members.length} more</p>}
      {group.mayInvite && (
        <Invitees roomId={room.id} version={`${added} ${memberCount}`} onWithdraw={(id) => void change(group.remove(id))} />
      )}
      {group.mayInvite &&
        (isAdding ? (
          <PeoplePicker
            label="Add people"
            without={new Set(members.map(({ user }) => user.id))}
            onChoose={(person) => void change(group.add(person.id))}
          />
        ) : (
          <button type="button" onClick={() => setIsAdding(true)}>
            <Icon name="add" /> Add people
          </button>
        ))}
      {group.isOwner && (
        <label className="choice">
          <input type="checkbox" checked={membersMayInvite} onChange={(event) => void group.letMembersInvite(event.target.checked)} />{" "}
          Members can add people
        </label>
      )}
      <p className="problem" role="alert">
        {group.problem}
      </p>
      <button type="button" className="danger" onClick={() => (isLeaving ? void group.leave() : setIsLeaving(true))}>
        <Icon name="leave" /> {isLeaving ? "Yes, leave group" : "Leave group"}
      </button>
    </Dialog>
  );
}
