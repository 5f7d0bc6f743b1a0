import { type ReactNode, useState } from "react";
import { Provider } from "urql";
import { ApiContext, createApi } from "../api";

interface Props {
  token: string;
  onSessionOver: () => void;
  children: ReactNode;
}

/** Gives its children the API in the name of a session: `useApi`, and urql's own hooks. */
export function SignedIn({ token, onSessionOver, children }: Props) {
  const [api] = useState(() => createApi(token, onSessionOver));
  return (
    <ApiContext value={api}>
      <Provider value={api.client}>{children}</Provider>
    </ApiContext>
  );
}
