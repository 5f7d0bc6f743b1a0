import { type FormEvent, useState } from "react";
import type { useSession } from "../hooks/useSession";
import { Dialog } from "./Dialog";

interface Props {
  register: ReturnType<typeof useSession>["register"];
  onClose: () => void;
}

/** Makes a guest an account, which keeps what they have. */
export function KeepAccount({ register, onClose }: Props) {
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function keep(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    setIsBusy(true);
    setProblem("");
    try {
      await register({ username: String(fields.get("username")).trim(), password: String(fields.get("password")), name: null });
      onClose();
    } catch (error) {
      setProblem((error as Error).message);
      setIsBusy(false);
    }
  }

  return (
    <Dialog title="Make an account" onClose={onClose}>
      <form onSubmit={(event) => void keep(event)}>
        <p className="quiet">Your name, your rooms and what you wrote stay. You can come back with a username and a password.</p>
        <label>
          Username
          <input name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} required />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="new-password" minLength={8} required />
        </label>
        <p className="problem" role="alert">
          {problem}
        </p>
        <button type="submit" className="primary" disabled={isBusy}>
          Make the account
        </button>
      </form>
    </Dialog>
  );
}
