import type { TypedDocumentNode } from "@urql/core";
import { useEffect, useState } from "react";
import { type Answered, insist } from "../chat/api";
import { useChat } from "./useChat";

/**
 * The answer to a query, which is sent when the component appears, and again when `version` or a variable changes.
 * @returns undefined until there is an answer, or if it is refused: the session ended, or the user has left the room
 */
export function useAnswer<Data, Variables extends Record<string, unknown>>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  version: unknown = 0,
): Answered<Data> | undefined {
  const { client } = useChat();
  const [answer, setAnswer] = useState<Answered<Data>>();
  const question = JSON.stringify(variables);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version repeats the query, equal variables in a new object do not
  useEffect(() => {
    let isOver = false;
    insist(() => client.query(query, variables)).then(
      (answer) => isOver || setAnswer(answer),
      () => {},
    );
    return () => {
      isOver = true;
    };
  }, [client, query, question, version]);

  return answer;
}
