import { useState } from "react";
import { ask, createHttpClient } from "../chat/api";
import { LoginDocument, type LoginMutationVariables, RegisterDocument, type RegisterMutationVariables } from "../gql/graphql";
export interface Me {
  id: string;
  name: string;
  username: string;
  guest: boolean;
}
export function useSession() {
  const [session, setSession] = useState<{ me: Me }>();
  return {
    session,
    isOver: false,
    async signIn(account: LoginMutationVariables) {
      const { user } = (await ask(createHttpClient().mutation(LoginDocument, account))).login;
      setSession({ me: { ...user, username: user.name, guest: false } });
    },
    async register(account: RegisterMutationVariables) {
      const { user } = (await ask(createHttpClient().mutation(RegisterDocument, account))).register;
      setSession({ me: { ...user, username: user.name, guest: false } });
    },
    signOut() {
      setSession(undefined);
    },
    over() {
      setSession(undefined);
    },
  };
}
