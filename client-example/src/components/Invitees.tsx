import { InviteesDocument } from "../gql/graphql";
import { useAnswer } from "../hooks/useAnswer";
import { Icon } from "./Icon";
import { PersonName } from "./PersonName";

interface Props {
  roomId: string;
  /** Changes when the list may have changed, which loads it again. */
  version: unknown;
  onWithdraw: (userId: string) => void;
}

/** Users who are invited to a group and have not answered. */
export function Invitees({ roomId, version, onWithdraw }: Props) {
  const people = useAnswer(InviteesDocument, { roomId }, version)?.room?.invitations.map(({ user }) => user) ?? [];
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
            aria-label={`Withdraw invitation for ${person.name}`}
            onClick={() => onWithdraw(person.id)}
          >
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  );
}
