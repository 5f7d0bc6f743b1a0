import { useEffect, useState } from "react";
import { ask } from "../chat/api";
import type { InvitationsQuery } from "../gql/graphql";
import { AcceptInvitationDocument, DeclineInvitationDocument, InvitationChangesDocument, InvitationsDocument } from "../gql/graphql";
import { useAnswer } from "./useAnswer";
import { useChat, useStore } from "./useChat";

export type Invitation = NonNullable<InvitationsQuery["invitations"]>["nodes"][number];

/** The user's open invitations to groups, newest first. They are loaded at each connect, and whenever an invitation starts or ends. */
export function useInvitations() {
  const { client, live } = useChat();
  const { connects } = useStore(live.status);
  const [changes, setChanges] = useState(0);
  const [problem, setProblem] = useState("");
  const invitations = useAnswer(InvitationsDocument, {}, `${connects} ${changes}`)?.invitations.nodes ?? [];

  useEffect(() => live.subscribe(InvitationChangesDocument, {}, () => setChanges((count) => count + 1)), [live]);

  async function answer(request: PromiseLike<unknown>): Promise<boolean> {
    setProblem("");
    try {
      await request;
      return true;
    } catch (error) {
      setProblem((error as Error).message);
      return false;
    } finally {
      setChanges((count) => count + 1);
    }
  }

  return {
    invitations,
    problem,
    accept: (roomId: string) => answer(ask(client.mutation(AcceptInvitationDocument, { roomId }))),
    decline: (roomId: string) => answer(ask(client.mutation(DeclineInvitationDocument, { roomId }))),
  };
}
