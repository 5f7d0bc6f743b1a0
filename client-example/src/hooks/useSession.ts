import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { ask, createHttpClient } from "../chat/api";
import { pause } from "../chat/pause";
import {
  JoinAsGuestDocument,
  LoginDocument,
  type LoginMutationVariables,
  LogoutDocument,
  type MePartsFragment,
  RegisterDocument,
  type RegisterMutationVariables,
  WhoAmIDocument,
} from "../gql/graphql";

export type Me = MePartsFragment;

/** Whether someone is signed in. The session itself is in a cookie, which no script can read: so the server is asked. */
export type Session =
  | { state: "checking"; problem?: string }
  /** `isOver`: it was the server that ended the session. */
  | { state: "out"; isOver: boolean; demoAccounts: string[] }
  | { state: "in"; id: string; me: Me };

const AGAIN_AFTER = 2_000; // ms, while the server cannot be reached

/** Who is signed in at this browser: its tabs share it, and hear from each other when it changes. */
export function useSession() {
  const [session, setSession] = useState<Session>({ state: "checking" });
  const checks = useRef(0);
  const isLeft = useRef(false); // in one of the tabs, by the user
  const tabs = useMemo(() => new BroadcastChannel("palaver.session"), []);

  const check = useCallback(async (wasIn: boolean): Promise<void> => {
    const number = ++checks.current; // of several that are under way the last one counts
    while (number === checks.current) {
      try {
        // A client of its own: one client gives all who ask the same at the same time the first one's answer.
        const { me, session: own, server } = await ask(createHttpClient().query(WhoAmIDocument, {}));
        if (number !== checks.current) return;
        const out: Session = { state: "out", isOver: wasIn && !isLeft.current, demoAccounts: server.demoAccounts };
        if (me) isLeft.current = false;
        // The same session of the same account is the same object: nothing on the page begins anew.
        return setSession((known) =>
          !me || !own
            ? out
            : known.state === "in" && known.id === own.id && known.me.username === me.username
              ? known
              : { state: "in", id: own.id, me },
        );
      } catch (error) {
        setSession((known) => (known.state === "in" ? known : { state: "checking", problem: (error as Error).message }));
        await pause(AGAIN_AFTER);
      }
    }
  }, []);

  useEffect(() => {
    void check(false);
    const onMessage = ({ data }: MessageEvent) => {
      if (data === "leaving") isLeft.current = true;
      else void check(false);
    };
    tabs.addEventListener("message", onMessage);
    return () => tabs.removeEventListener("message", onMessage);
  }, [check, tabs]);

  async function enter(request: Promise<unknown>): Promise<void> {
    await request;
    tabs.postMessage("changed");
    await check(false);
  }

  return {
    session,
    /** @throws Refused */
    signIn: (account: LoginMutationVariables) => enter(ask(createHttpClient().mutation(LoginDocument, account))),
    /** Makes an account; a guest becomes it. @throws Refused */
    register: (account: RegisterMutationVariables) => enter(ask(createHttpClient().mutation(RegisterDocument, account))),
    /** @throws Refused */
    joinAsGuest: (name: string) => enter(ask(createHttpClient().mutation(JoinAsGuestDocument, { name }))),
    /** Ends the session at the server, which takes the cookie away. @throws Refused, and the session goes on */
    signOut: () => {
      isLeft.current = true;
      tabs.postMessage("leaving"); // before their connections are closed, which they would take for the session's end
      return enter(ask(createHttpClient().mutation(LogoutDocument, {})));
    },
    /** For when the server says that the session is over. */
    over: useCallback(() => void check(true), [check]),
  };
}
