import { useRef } from "react";
import type { RoomPartsFragment as Room, SessionPartsFragment } from "../gql/graphql";
import type { useOutbox } from "../hooks/useOutbox";
import { useRoom } from "../hooks/useRoom";
import { Avatar } from "./Avatar";
import { Composer } from "./Composer";
import { MessageList } from "./MessageList";
import { OutgoingMessage } from "./OutgoingMessage";

interface Props {
  room: Room;
  me: SessionPartsFragment["user"];
  loaded: number;
  outbox: ReturnType<typeof useOutbox>;
  onClose: () => void;
}

/** One room: what was said, and where to say something. */
export function Conversation({ room: { id, name, kind }, me, loaded, outbox, onClose }: Props) {
  const { messages, hasOlder, isLoading, problem, loadOlder } = useRoom(id, loaded);
  const scroller = useRef<HTMLElement>(null);
  const outgoing = outbox.outgoing.filter(({ sending }) => sending.roomId === id);

  function send(text: string): void {
    outbox.send(id, text);
    scroller.current?.scrollTo({ top: 0 }); // the newest: see `.scroller`
  }

  return (
    <main className="conversation">
      <header className="bar">
        <button type="button" className="back" onClick={onClose}>
          <span aria-hidden="true">‹</span>
          <span className="unseen">Back to the list</span>
        </button>
        <Avatar name={name} letter={kind === "GENERAL" ? "#" : undefined} />
        <h2 className="ellipsis">{name}</h2>
        <span className="quiet">{kind === "GENERAL" ? "everyone" : "private"}</span>
      </header>
      <section className="scroller" ref={scroller} aria-label={`Messages in ${name}`}>
        <div className="messages">
          {hasOlder && (
            <button type="button" className="link older" disabled={isLoading} onClick={() => void loadOlder()}>
              {isLoading ? "Loading…" : "Show earlier messages"}
            </button>
          )}
          {problem !== undefined && (
            <p className="problem" role="alert">
              {problem}
            </p>
          )}
          {messages ? <MessageList messages={messages} me={me.id} /> : <p className="quiet">Loading…</p>}
          {messages?.length === 0 && outgoing.length === 0 && <p className="quiet centred">Nothing yet. Say something.</p>}
          {outgoing.map((one) => (
            <OutgoingMessage
              key={one.sending.clientMessageId}
              outgoing={one}
              onSendAgain={() => outbox.sendAgain(one)}
              onDiscard={() => outbox.discard(one)}
            />
          ))}
        </div>
      </section>
      <Composer roomName={name} onSend={send} />
    </main>
  );
}
