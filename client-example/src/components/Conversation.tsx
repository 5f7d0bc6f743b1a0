import { useCallback, useRef, useState } from "react";
import type { MessagePartsFragment as Message } from "../gql/graphql";
import { useMessageActions } from "../hooks/useMessageActions";
import { useOutbox } from "../hooks/useOutbox";
import { useReply } from "../hooks/useReply";
import { useRoom } from "../hooks/useRoom";
import type { Me } from "../hooks/useSession";
import { useTyping } from "../hooks/useTyping";
import { Composer, type Task } from "./Composer";
import { MessageList, type MessageListHandle } from "./MessageList";
import { RoomHeader } from "./RoomHeader";
import "./Conversation.css";

interface Props {
  roomId: string;
  me: Me;
  onClose: () => void;
  onTalkTo: (userId: string) => void;
}

/** One room: what was said, and where to say something. */
export function Conversation({ roomId, me, onClose, onTalkTo }: Props) {
  const here = useRoom(roomId);
  const { room, messages } = here;
  const outbox = useOutbox(roomId);
  const assistant = useReply(roomId);
  const typists = useTyping(roomId);
  const [task, setTask] = useState<Task>({ kind: "write" });
  const { problem, ...actions } = useMessageActions();
  const list = useRef<MessageListHandle>(null);

  const onReply = useCallback((message: Message) => setTask({ kind: "reply", to: message }), []);
  const onEdit = useCallback((message: Message) => setTask({ kind: "edit", message }), []);
  if (!room) return null;

  async function submit(text: string): Promise<void> {
    setTask({ kind: "write" });
    if (task.kind === "edit") return actions.edit(task.message.id, text);
    here.send(text, task.kind === "reply" ? task.to.id : null);
    list.current?.toNewest();
  }

  return (
    <main className="conversation">
      <RoomHeader room={room} me={me} onClose={onClose} onTalkTo={onTalkTo} />
      <MessageList
        ref={list}
        here={here}
        room={room}
        me={me.id}
        outbox={outbox}
        assistant={assistant}
        onReply={onReply}
        onEdit={onEdit}
        onDelete={actions.remove}
        onReact={actions.react}
        onRetry={actions.retry}
      />
      <p className="problem" role="alert">
        {here.problem ?? problem}
      </p>
      <p className="typing" aria-live="polite">
        {typing(typists)}
      </p>
      <Composer
        key={task.kind === "edit" ? task.message.id : roomId}
        room={room}
        me={me.id}
        task={task}
        onSubmit={(text) => void submit(text)}
        onCancel={() => setTask({ kind: "write" })}
        onEditLast={() => {
          const last = messages?.findLast(({ from }) => from.id === me.id);
          if (last) onEdit(last);
        }}
      />
    </main>
  );
}

const names = new Intl.ListFormat(undefined, { type: "conjunction" });

function typing(typists: string[]): string {
  if (typists.length === 0) return "";
  if (typists.length > 3) return "Several people are writing…";
  return `${names.format(typists)} ${typists.length === 1 ? "is" : "are"} writing…`;
}
