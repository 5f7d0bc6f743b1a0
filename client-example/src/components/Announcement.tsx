import { useEffect, useRef, useState } from "react";
import type { MessagePartsFragment as Message } from "../gql/graphql";

interface Props {
  /** The messages in the list; undefined unless they reach the newest one. */
  messages: readonly Message[] | undefined;
  me: string;
}

const ONE_BY_ONE = 5; // messages; if more arrive at once, only their number is announced
const KEPT = 20; // announcements

/** Announces other people's messages to screen readers, each message once. */
export function Announcement({ messages, me }: Props) {
  const known = useRef(messages);
  const [said, setSaid] = useState<{ key: string; text: string }[]>([]);

  useEffect(() => {
    const before = known.current;
    known.current = messages;
    if (!before || !messages || before === messages) return; // a reader who returns to the newest messages sees them
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
