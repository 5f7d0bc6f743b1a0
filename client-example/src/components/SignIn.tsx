import { type FormEvent, useId, useState } from "react";
import type { useSession } from "../hooks/useSession";
import { Avatar } from "./Avatar";
import "./SignIn.css";

const DEMO_PASSWORD = "password123"; // the demo apps', known to everyone

/** How one may come in. */
type Way = "sign in" | "register" | "guest";

interface Props extends Pick<ReturnType<typeof useSession>, "signIn" | "register" | "joinAsGuest"> {
  /** It was the server that ended the last session. */
  isOver: boolean;
  /** Usernames of accounts that anyone may try. */
  demoAccounts: string[];
}

const TITLES: Record<Way, string> = { "sign in": "Sign in", register: "Make an account", guest: "Come in as a guest" };
const SUBMITS: Record<Way, string> = { "sign in": "Sign in", register: "Register", guest: "Come in" };
const CHOICES: Record<Way, string> = { "sign in": "I have an account", register: "I am new here", guest: "Continue as a guest" };

export function SignIn({ isOver, demoAccounts, signIn, register, joinAsGuest }: Props) {
  const [way, setWay] = useState<Way>("sign in");
  const [isBusy, setIsBusy] = useState(false);
  const [isPasswordShown, setIsPasswordShown] = useState(false);
  const [problem, setProblem] = useState(isOver ? "Your session is over. Sign in again." : "");
  const problemId = useId();

  async function attempt(entering: Promise<void>): Promise<void> {
    setIsBusy(true);
    setProblem("");
    try {
      await entering;
    } catch (error) {
      setProblem((error as Error).message);
      setIsBusy(false);
    }
  }

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const field = (name: string) => String(fields.get(name) ?? "");
    const account = { username: field("username").trim(), password: field("password") };
    if (way === "guest") void attempt(joinAsGuest(field("name").trim()));
    else if (way === "register") void attempt(register({ ...account, name: field("name").trim() || null }));
    else void attempt(signIn(account));
  }

  return (
    <main className="sign-in">
      <Pitch />
      <div className="entrance">
        <form className="card" onSubmit={submit} aria-describedby={problem === "" ? undefined : problemId}>
          <h2>{TITLES[way]}</h2>
          {way !== "guest" && (
            <label>
              Username
              <input name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required />
            </label>
          )}
          {way !== "sign in" && (
            <label>
              {way === "guest" ? "Your name" : "Name others see (optional)"}
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
            <p className="quiet">Without a password, until you have been away for an hour. What you write in shared rooms stays.</p>
          )}
          <p className="problem" role="alert" id={problemId}>
            {problem}
          </p>
          <button type="submit" className="primary" disabled={isBusy}>
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
                    setWay(other);
                    setProblem("");
                  }}
                >
                  {CHOICES[other]}
                </button>
              ))}
          </div>
        </form>
        {demoAccounts.length > 0 && (
          <section className="card" aria-labelledby="demo">
            <h2 id="demo">Or try it as</h2>
            <div className="demo-accounts">
              {demoAccounts.map((username) => (
                <button
                  key={username}
                  type="button"
                  disabled={isBusy}
                  onClick={() => void attempt(signIn({ username, password: DEMO_PASSWORD }))}
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

/** What this is, and a drawing of it. */
function Pitch() {
  return (
    <header className="pitch">
      <h1 className="wordmark">Palaver</h1>
      <p>Talk to everyone, to a few, or to one. What is said arrives, once and in order, wherever you come back from.</p>
      <div className="drawing" aria-hidden="true">
        <p>
          <Avatar name="Mary" />
          <span className="bubble">Did the train make it?</span>
        </p>
        <p className="mine">
          <span className="bubble">Through the tunnel, and nothing was lost.</span>
        </p>
        <p>
          <Avatar name="Joe" />
          <span className="bubble">Not even the jokes?</span>
        </p>
      </div>
    </header>
  );
}
