import { useInvitations } from "../hooks/useInvitations";
import { PersonName } from "./PersonName";
import "./Invitations.css";

/** Open invitations to groups, from people with whom the user has not talked before. */
export function Invitations({ onShow }: { onShow: (roomId: string) => void }) {
  const { invitations, problem, accept, decline } = useInvitations();
  if (invitations.length === 0 && problem === "") return null;
  return (
    <section aria-labelledby="invitations">
      <div className="list-head">
        <h2 id="invitations">Invitations</h2>
      </div>
      <ul className="invitations">
        {invitations.map(({ roomId, roomName, memberCount, invitedBy }) => (
          <li key={roomId}>
            <strong className="ellipsis">
              <bdi>{roomName}</bdi>
            </strong>
            <span className="quiet">
              from <PersonName person={invitedBy} /> · {memberCount === 1 ? "1 member" : `${memberCount} members`}
            </span>
            <span className="invitation-answers">
              <button
                type="button"
                aria-label={`Accept ${roomName}`}
                onClick={async () => {
                  if (await accept(roomId)) onShow(roomId);
                }}
              >
                Accept
              </button>
              <button type="button" aria-label={`Decline ${roomName}`} onClick={() => void decline(roomId)}>
                Decline
              </button>
            </span>
          </li>
        ))}
      </ul>
      <p className="problem" role="alert">
        {problem}
      </p>
    </section>
  );
}
