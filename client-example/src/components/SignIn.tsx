import { type FormEvent, useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import type { useSession } from "../hooks/useSession";
import { Avatar } from "./Avatar";
import "./SignIn.css";

const DEMO_PASSWORD = "password123"; // of the demo apps, and public

/** A way to sign in. */
type Way = "sign in" | "register" | "guest";

interface Props extends Pick<ReturnType<typeof useSession>, "signIn" | "register" | "joinAsGuest"> {
  /** Whether the server ended the last session. */
  isOver: boolean;
  /** Usernames of accounts that anyone can try. */
  demoAccounts: string[];
}

const TITLES: Record<Way, string> = { "sign in": "Sign in", register: "Create account", guest: "Continue as guest" };
const SUBMITS: Record<Way, string> = { "sign in": "Sign in", register: "Create account", guest: "Continue" };
const CHOICES: Record<Way, string> = { "sign in": "Sign in", register: "Create account", guest: "Continue as guest" };

export function SignIn({ isOver, demoAccounts, signIn, register, joinAsGuest }: Props) {
  const [way, setWay] = useState<Way>("sign in");
  const [isBusy, setIsBusy] = useState(false);
  const [isPasswordShown, setIsPasswordShown] = useState(false);
  const [problem, setProblem] = useState(isOver ? "Your session has ended. Sign in again." : "");
  const problemId = useId();
  const form = useRef<HTMLFormElement>(null);

  /** @param field the field to focus if it fails; without one, the pressed button keeps the focus */
  async function attempt(enter: () => Promise<void>, field?: string): Promise<void> {
    if (isBusy) return;
    setIsBusy(true);
    setProblem("");
    try {
      await enter();
    } catch (error) {
      setProblem((error as Error).message);
      setIsBusy(false);
      if (field !== undefined) focus(field);
    }
  }

  function focus(field: string): void {
    form.current?.querySelector<HTMLInputElement>(`[name=${field}]`)?.focus();
  }

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const field = (name: string) => String(fields.get(name) ?? "");
    const account = { username: field("username").trim(), password: field("password") };
    if (way === "guest") void attempt(() => joinAsGuest(field("name").trim()), "name");
    else if (way === "register") void attempt(() => register({ ...account, name: field("name").trim() || null }), "username");
    else void attempt(() => signIn(account), "password");
  }

  return (
    <main className="sign-in">
      <Pitch />
      <div className="entrance">
        <form className="card" ref={form} onSubmit={submit} aria-describedby={problem === "" ? undefined : problemId}>
          <h2>{TITLES[way]}</h2>
          {way !== "guest" && (
            <label>
              Username
              <input name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required />
            </label>
          )}
          {way !== "sign in" && (
            <label>
              {way === "guest" ? "Your name" : "Display name (optional)"}
              <input name="name" autoComplete="name" maxLength={64} required={way === "guest"} dir="auto" />
            </label>
          )}
          {way !== "guest" && (
            <div className="password">
              <label>
                Password
                <input
                  name="password"
                  type={isPasswordShown ? "text" : "password"}
                  autoComplete={way === "register" ? "new-password" : "current-password"}
                  minLength={way === "register" ? 8 : undefined}
                  required
                />
              </label>
              <button type="button" className="link" aria-pressed={isPasswordShown} onClick={() => setIsPasswordShown(!isPasswordShown)}>
                Show
                <span className="unseen"> password</span>
              </button>
            </div>
          )}
          {way === "guest" && (
            <p className="quiet">
              No password needed. Your guest session ends after you have been away for an hour. Your messages in shared rooms stay.
            </p>
          )}
          <p className="problem" role="alert" id={problemId}>
            {problem}
          </p>
          <button type="submit" className="primary" aria-disabled={isBusy}>
            {SUBMITS[way]}
          </button>
          <div className="ways">
            {(Object.keys(CHOICES) as Way[])
              .filter((other) => other !== way)
              .map((other) => (
                <button
                  key={other}
                  type="button"
                  className="link"
                  onClick={() => {
                    flushSync(() => {
                      setWay(other);
                      setProblem("");
                    });
                    focus(other === "guest" ? "name" : "username"); // the focused button is gone
                  }}
                >
                  {CHOICES[other]}
                </button>
              ))}
          </div>
        </form>
        {demoAccounts.length > 0 && (
          <section className="card" aria-labelledby="demo">
            <h2 id="demo">Try a demo account</h2>
            <div className="demo-accounts">
              {demoAccounts.map((username) => (
                <button
                  key={username}
                  type="button"
                  aria-disabled={isBusy}
                  onClick={() => void attempt(() => signIn({ username, password: DEMO_PASSWORD }))}
                >
                  {username}
                </button>
              ))}
            </div>
          </section>
        )}
      </div>
    </main>
  );
}

/** A description of Palaver, with an illustration. */
function Pitch() {
  return (
    <header className="pitch">
      <h1 className="wordmark">Palaver</h1>
      <p>Group and private chat. Every message arrives once and in order, even after you lose the connection.</p>
      <div className="drawing" aria-hidden="true">
        <p>
          <Avatar name="Mary" />
          <span className="bubble">How was the train?</span>
        </p>
        <p className="mine">
          <span className="bubble">A long tunnel, but no message was lost.</span>
        </p>
        <p>
          <Avatar name="Joe" />
          <span className="bubble">Not even the jokes?</span>
        </p>
      </div>
    </header>
  );
}
