import { useEffect, useState } from "react";
import { insist } from "../chat/api";
import { InviteesDocument, type PersonFragment as Person } from "../gql/graphql";
import { useChat } from "../hooks/useChat";
import { Icon } from "./Icon";
import { PersonName } from "./PersonName";

interface Props {
  roomId: string;
  /** Changes when there may be others. */
  version: unknown;
  onWithdraw: (userId: string) => void;
}

/** Those who are invited to a group and have not answered. */
export function Invitees({ roomId, version, onWithdraw }: Props) {
  const { client } = useChat();
  const [people, setPeople] = useState<Person[]>([]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another version is the reason to ask again
  useEffect(() => {
    let over = false;
    insist(() => client.query(InviteesDocument, { roomId })).then(
      ({ room }) => over || setPeople(room?.invitations.map(({ user }) => user) ?? []),
      () => {}, // the user is not in the group any more
    );
    return () => {
      over = true;
    };
  }, [client, roomId, version]);

  if (people.length === 0) return null;
  return (
    <ul className="members" aria-label="Invited">
      {people.map((person) => (
        <li key={person.id}>
          <span className="row small">
            <PersonName person={person} />
            <span className="tag">invited</span>
          </span>
          <button
            type="button"
            className="icon-button"
            aria-label={`Withdraw the invitation of ${person.name}`}
            onClick={() => onWithdraw(person.id)}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
