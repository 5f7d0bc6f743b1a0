import { useState } from "react";
import { ask } from "../chat/api";
import { BlockDocument, BlockedDocument, UnblockDocument } from "../gql/graphql";
import { useAnswer } from "../hooks/useAnswer";
import { useChat } from "../hooks/useChat";

/** Blocks the other user of a private room after a second press, or unblocks them. */
export function BlockButton({ userId }: { userId: string }) {
  const { client } = useChat();
  const [changed, setChanged] = useState<boolean>();
  const [isAsking, setIsAsking] = useState(false);
  const [problem, setProblem] = useState("");
  const answer = useAnswer(BlockedDocument, { userId });
  const isBlocked = changed ?? answer?.user?.blocked;

  async function press(): Promise<void> {
    setProblem("");
    if (!isBlocked && !isAsking) return setIsAsking(true);
    setIsAsking(false);
    try {
      if (isBlocked) setChanged((await ask(client.mutation(UnblockDocument, { userId }))).unblock.blocked);
      else setChanged((await ask(client.mutation(BlockDocument, { userId }))).block.blocked);
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
