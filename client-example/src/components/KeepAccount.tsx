import { type FormEvent, useState } from "react";
import type { useSession } from "../hooks/useSession";
import { Dialog } from "./Dialog";

interface Props {
  register: ReturnType<typeof useSession>["register"];
  onClose: () => void;
}

/** Turns a guest into an account that keeps everything the guest has. */
export function KeepAccount({ register, onClose }: Props) {
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function keep(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    if (isBusy) return;
    setIsBusy(true);
    setProblem("");
    try {
      await register({ username: String(fields.get("username")).trim(), password: String(fields.get("password")), name: null });
      onClose();
    } catch (error) {
      setProblem((error as Error).message);
      setIsBusy(false);
      form.querySelector("input")?.focus();
    }
  }

  return (
    <Dialog title="Create account" onClose={onClose}>
      <form onSubmit={(event) => void keep(event)}>
        <p className="quiet">You keep your name, rooms and messages. From now on, you sign in with a username and password.</p>
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
        <button type="submit" className="primary" aria-disabled={isBusy}>
          Create account
        </button>
      </form>
    </Dialog>
  );
}
