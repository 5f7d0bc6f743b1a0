import { type FormEvent, useState } from "react";
import type { useSession } from "../hooks/useSession";

const DEMO_ACCOUNTS = ["Pablo", "Joe", "Mary", "Alex"];
const DEMO_PASSWORD = "password123";

type Props = Pick<ReturnType<typeof useSession>, "isOver" | "signIn" | "register">;

export function SignIn({ isOver, signIn, register }: Props) {
  const [isNew, setIsNew] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState(isOver ? "Your session is over. Sign in again." : "");

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
    void attempt(isNew ? register({ ...account, name: field("name").trim() || null }) : signIn(account));
  }

  return (
    <main className="sign-in">
      <h1 className="wordmark">Palaver</h1>
      <section className="card" aria-labelledby="demo">
        <h2 id="demo">Try it as</h2>
        <div className="demo-accounts">
          {DEMO_ACCOUNTS.map((username) => (
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
      <form className="card" onSubmit={submit}>
        <h2>{isNew ? "Make an account" : "Sign in"}</h2>
        <label>
          Username
          <input name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required />
        </label>
        {isNew && (
          <label>
            Name others see (optional)
            <input name="name" autoComplete="name" maxLength={64} />
          </label>
        )}
        <label>
          Password
          <input
            name="password"
            type="password"
            autoComplete={isNew ? "new-password" : "current-password"}
            minLength={isNew ? 8 : undefined}
            required
          />
        </label>
        <p className="problem" role="alert">
          {problem}
        </p>
        <div className="actions">
          <button type="submit" className="primary" disabled={isBusy}>
            {isNew ? "Register" : "Sign in"}
          </button>
          <button type="button" className="link" onClick={() => setIsNew(!isNew)}>
            {isNew ? "I have an account" : "I am new here"}
          </button>
        </div>
      </form>
    </main>
  );
}
