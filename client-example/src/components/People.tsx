import { usePeople } from "../hooks/usePeople";
import { Avatar } from "./Avatar";

interface Props {
  me: string;
  onTalkTo: (userId: string) => void;
}

/** Whom to talk to in private. */
export function People({ me, onTalkTo }: Props) {
  const { people, hasMore, loadMore } = usePeople();
  return (
    <section aria-labelledby="people">
      <h2 id="people">People</h2>
      <ul>
        {people
          .filter(({ id }) => id !== me)
          .map(({ id, name, username, online }) => (
            <li key={id}>
              <button type="button" className="row small" title={`Talk to ${name} in private`} onClick={() => onTalkTo(id)}>
                <Avatar name={name} />
                <span className="ellipsis">
                  {name}
                  {username !== name && <span className="quiet"> @{username}</span>}
                </span>
                <span className={online ? "presence online" : "presence"}>
                  <span className="unseen">{online ? "online" : "offline"}</span>
                </span>
              </button>
            </li>
          ))}
      </ul>
      {hasMore && (
        <button type="button" className="link" onClick={loadMore}>
          Show more people
        </button>
      )}
    </section>
  );
}
