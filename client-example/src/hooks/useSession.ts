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

/** Whether someone is signed in. The page asks the server, because the session is in a cookie that no script can read. */
export type Session =
  | { state: "checking"; problem?: string }
  /** `isOver`: the server ended the session. */
  | { state: "out"; isOver: boolean; demoAccounts: string[] }
  | { state: "in"; id: string; me: Me };

const AGAIN_AFTER = 2_000; // ms, while the server cannot be reached

/** The session of this browser. All tabs share it, and notify each other when it changes. */
export function useSession() {
  const [session, setSession] = useState<Session>({ state: "checking" });
  const checks = useRef(0);
  const isLeft = useRef(false); // whether the user signed out in one of the tabs
  const tabs = useMemo(() => new BroadcastChannel("palaver.session"), []);

  const check = useCallback(async (wasIn: boolean): Promise<void> => {
    const number = ++checks.current; // of several concurrent checks, the last one counts
    while (number === checks.current) {
      try {
        // A new client, because one client answers concurrent equal queries with the first one's result.
        const { me, session: own, server } = await ask(createHttpClient().query(WhoAmIDocument, {}));
        if (number !== checks.current) return;
        const out: Session = { state: "out", isOver: wasIn && !isLeft.current, demoAccounts: server.demoAccounts };
        if (me) isLeft.current = false;
        // The same session of the same account stays the same object, so that nothing on the page restarts.
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
    /** Creates an account; a guest turns into it. @throws Refused */
    register: (account: RegisterMutationVariables) => enter(ask(createHttpClient().mutation(RegisterDocument, account))),
    /** @throws Refused */
    joinAsGuest: (name: string) => enter(ask(createHttpClient().mutation(JoinAsGuestDocument, { name }))),
    /** Ends the session on the server, which deletes the cookie. @throws Refused; the session then continues */
    signOut: () => {
      isLeft.current = true;
      tabs.postMessage("leaving"); // before the server closes their connections, which they would take as an ended session
      return enter(ask(createHttpClient().mutation(LogoutDocument, {})));
    },
    /** Called when the server says that the session has ended. */
    over: useCallback(() => void check(true), [check]),
  };
}
