import { useCallback, useRef, useState } from "react";
import type { MessagePartsFragment as Message } from "../gql/graphql";
import { useMessageActions } from "../hooks/useMessageActions";
import { useOutbox } from "../hooks/useOutbox";
import { useReply } from "../hooks/useReply";
import { useRoom } from "../hooks/useRoom";
import type { Me } from "../hooks/useSession";
import { useTyping } from "../hooks/useTyping";
import { Composer, type Task } from "./Composer";
import { ErrorBoundary } from "./ErrorBoundary";
import { MessageList, type MessageListHandle } from "./MessageList";
import { RoomHeader } from "./RoomHeader";
import "./Conversation.css";

interface Props {
  roomId: string;
  me: Me;
  onClose: () => void;
  onTalkTo: (userId: string) => void;
}

/** A room's messages and the composer. */
export function Conversation({ roomId, me, onClose, onTalkTo }: Props) {
  const here = useRoom(roomId);
  const { room, messages } = here;
  const outbox = useOutbox(roomId);
  const assistant = useReply(roomId);
  const [task, setTask] = useState<Task>({ kind: "write" });
  const { problem, ...actions } = useMessageActions();
  const list = useRef<MessageListHandle>(null);

  const onReply = useCallback((message: Message) => setTask({ kind: "reply", to: message }), []);
  const onEdit = useCallback((message: Message) => setTask({ kind: "edit", message }), []);
  if (!room) return null;

  /** @returns whether the composer can clear the text */
  async function submit(text: string): Promise<boolean> {
    if (task.kind === "edit") {
      if (!(await actions.edit(task.message.id, text))) return false;
    } else {
      here.send(text, task.kind === "reply" ? task.to.id : null);
      list.current?.toNewest();
    }
    setTask({ kind: "write" });
    return true;
  }

  return (
    <main className="conversation">
      <RoomHeader
        room={room}
        me={me}
        onClose={onClose}
        onTalkTo={onTalkTo}
        onShow={(messageId) => list.current?.jumpTo(messageId)}
        onUnpin={(messageId) => actions.pin(messageId, false)}
      />
      <ErrorBoundary sentence="These messages cannot be shown.">
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
          onPin={actions.pin}
          onReact={actions.react}
          onRetry={actions.retry}
        />
      </ErrorBoundary>
      <p className="problem" role="alert">
        {here.problem ?? problem}
      </p>
      <Typing roomId={roomId} />
      <Composer
        key={task.kind === "edit" ? task.message.id : roomId}
        room={room}
        me={me.id}
        task={task}
        onSubmit={submit}
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

/** The people who are typing; a separate component, so that the rest of the room does not render again. */
function Typing({ roomId }: { roomId: string }) {
  const typists = useTyping(roomId);
  return (
    <p className="typing" aria-live="polite">
      {typists.length > 3 && "Several people are typing…"}
      {typists.length > 0 && typists.length <= 3 && `${names.format(typists)} ${typists.length === 1 ? "is" : "are"} typing…`}
    </p>
  );
}
