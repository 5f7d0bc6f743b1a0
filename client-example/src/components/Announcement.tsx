import { useEffect, useRef, useState } from "react";
import type { MessagePartsFragment as Message } from "../gql/graphql";

interface Props {
  /** What stands in the list; undefined while the newest message does not. */
  messages: readonly Message[] | undefined;
  me: string;
}

const ONE_BY_ONE = 5; // of more that come at once, only how many there are is announced
const KEPT = 20; // announcements

/** Announces to screen readers what others write, each message once. */
export function Announcement({ messages, me }: Props) {
  const known = useRef(messages);
  const [said, setSaid] = useState<{ key: string; text: string }[]>([]);

  useEffect(() => {
    const before = known.current;
    known.current = messages;
    if (!before || !messages || before === messages) return; // who comes back to the newest messages sees them
    const ids = new Set(before.map(({ id }) => id));
    const news = messages.slice(messages.findLastIndex(({ id }) => ids.has(id)) + 1).filter(({ from }) => from.id !== me);
    const last = news.at(-1);
    if (!last) return;
    const added =
      news.length > ONE_BY_ONE
        ? [{ key: last.id, text: `${news.length} new messages` }]
        : news.map(({ id, from, text }) => ({ key: id, text: `${from.name}: ${text}` }));
    setSaid((all) => [...all, ...added].slice(-KEPT));
  }, [messages, me]);

  return (
    <div className="unseen" role="log" aria-label="New messages">
      {said.map(({ key, text }) => (
        <p key={key}>{text}</p>
      ))}
    </div>
  );
}
