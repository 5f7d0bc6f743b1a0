import { useState } from "react";
import { ask } from "../chat/api";
import type { Room } from "../chat/rooms";
import { AddMemberDocument, LeaveRoomDocument, LetMembersInviteDocument, RemoveMemberDocument, RenameRoomDocument } from "../gql/graphql";
import { useChat } from "./useChat";

/** Actions on a group. Events report the results to its other members and to this page. */
export function useGroup({ id: roomId, members = [], membersMayInvite }: Room, me: string) {
  const { client, apply, refresh } = useChat();
  const [problem, setProblem] = useState("");
  const isOwner = members.some(({ role, user }) => role === "OWNER" && user.id === me);

  async function attempt(request: PromiseLike<unknown>): Promise<boolean> {
    setProblem("");
    try {
      await request;
      return true;
    } catch (error) {
      setProblem((error as Error).message);
      return false;
    }
  }

  return {
    isOwner,
    mayInvite: isOwner || membersMayInvite,
    problem,
    rename: (name: string) => attempt(ask(client.mutation(RenameRoomDocument, { roomId, name }))),
    add: (userId: string) => attempt(ask(client.mutation(AddMemberDocument, { roomId, userId }))),
    remove: (userId: string) => attempt(ask(client.mutation(RemoveMemberDocument, { roomId, userId }))),
    letMembersInvite: async (on: boolean) => {
      if (await attempt(ask(client.mutation(LetMembersInviteDocument, { roomId, on })))) await refresh(roomId); // no event reports it
    },
    leave: async () => {
      if (await attempt(ask(client.mutation(LeaveRoomDocument, { roomId })))) apply({ type: "left", roomId });
    },
  };
}
