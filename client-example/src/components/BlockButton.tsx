import { useEffect, useState } from "react";
import { ask, insist } from "../chat/api";
import { BlockDocument, BlockedDocument, UnblockDocument } from "../gql/graphql";
import { useChat } from "../hooks/useChat";

/** Blocks the other user of a private room, when pressed twice, or ends that. */
export function BlockButton({ userId }: { userId: string }) {
  const { client } = useChat();
  const [isBlocked, setIsBlocked] = useState<boolean>();
  const [isAsking, setIsAsking] = useState(false);
  const [problem, setProblem] = useState("");

  useEffect(() => {
    let over = false;
    insist(() => client.query(BlockedDocument, { userId })).then(
      ({ user }) => over || setIsBlocked(user?.blocked),
      () => {}, // the session is over
    );
    return () => {
      over = true;
    };
  }, [client, userId]);

  async function press(): Promise<void> {
    setProblem("");
    if (!isBlocked && !isAsking) return setIsAsking(true);
    setIsAsking(false);
    try {
      if (isBlocked) setIsBlocked((await ask(client.mutation(UnblockDocument, { userId }))).unblock.blocked);
      else setIsBlocked((await ask(client.mutation(BlockDocument, { userId }))).block.blocked);
    } catch (error) {
      setProblem((error as Error).message);
    }
  }

  if (isBlocked === undefined) return null;
  return (
    <>
      <span className="problem" role="alert">
        {problem}
      </span>
      <button type="button" className="link" onClick={() => void press()} onBlur={() => setIsAsking(false)}>
        {isBlocked ? "Unblock" : isAsking ? "Yes, block" : "Block"}
      </button>
    </>
  );
}
