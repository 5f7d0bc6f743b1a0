import { Chat } from "./components/Chat";
import { SignedIn } from "./components/SignedIn";
import { SignIn } from "./components/SignIn";
import { useSession } from "./hooks/useSession";

export function App() {
  const { session, isOver, signIn, register, signOut, over } = useSession();
  if (!session) return <SignIn isOver={isOver} signIn={signIn} register={register} />;
  return (
    <SignedIn key={session.token} token={session.token} onSessionOver={() => over(session.token)}>
      <Chat me={session.user} onSignOut={signOut} />
    </SignedIn>
  );
}
