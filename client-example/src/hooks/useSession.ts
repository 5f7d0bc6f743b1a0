import { useState } from "react";
import { ask, createHttpClient } from "../api";
import {
  LoginDocument,
  type LoginMutationVariables,
  LogoutDocument,
  RegisterDocument,
  type RegisterMutationVariables,
  type SessionPartsFragment as Session,
} from "../gql/graphql";

const STORED_AS = "palaver.session";

/** Who is signed in. It lasts as long as the tab: each tab can be someone else. */
export function useSession() {
  const [session, setSession] = useState(read);
  const [isOver, setIsOver] = useState(false);

  function enter(next: Session | null): void {
    if (next) sessionStorage.setItem(STORED_AS, JSON.stringify(next));
    else sessionStorage.removeItem(STORED_AS);
    setSession(next);
    setIsOver(false);
  }

  return {
    session,
    /** Whether it was the server that ended the session. */
    isOver,
    /** @throws Refused */
    async signIn(account: LoginMutationVariables) {
      enter((await ask(createHttpClient().mutation(LoginDocument, account))).login);
    },
    /** @throws Refused */
    async register(account: RegisterMutationVariables) {
      enter((await ask(createHttpClient().mutation(RegisterDocument, account))).register);
    },
    signOut() {
      if (session) void createHttpClient(session.token).mutation(LogoutDocument, {}).toPromise();
      enter(null);
    },
    /** For when the server says so. It may say it late, of a session that was left already. */
    over(token: string) {
      if (read()?.token !== token) return;
      enter(null);
      setIsOver(true);
    },
  };
}

function read(): Session | null {
  const stored = sessionStorage.getItem(STORED_AS);
  return stored === null ? null : (JSON.parse(stored) as Session);
}
