import {
  type KeyboardEvent,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Room } from "../chat/rooms";
import { type Row, toRows } from "../chat/rows";
import { MOST } from "../chat/timeline";
import type { MessagePartsFragment as Message } from "../gql/graphql";
import { useDivider } from "../hooks/useDivider";
import type { useOutbox } from "../hooks/useOutbox";
import { usePlace } from "../hooks/usePlace";
import { useReaders } from "../hooks/useReaders";
import type { useReply } from "../hooks/useReply";
import type { useRoom } from "../hooks/useRoom";
import { useVisible } from "../hooks/useVisible";
import { Announcement } from "./Announcement";
import { Icon } from "./Icon";
import { MessageRow } from "./MessageRow";
import { OutgoingRow } from "./OutgoingRow";
import { ReplyRow } from "./ReplyRow";
import "./MessageList.css";

export interface MessageListHandle {
  /** Shows the newest message and follows new ones. */
  toNewest(): void;
  /** Shows a message, wherever in the history it is. */
  jumpTo(messageId: string): void;
}

interface Props {
  ref: Ref<MessageListHandle>;
  here: ReturnType<typeof useRoom>;
  room: Room;
  me: string;
  outbox: ReturnType<typeof useOutbox>;
  assistant: ReturnType<typeof useReply>;
  onReply: (message: Message) => void;
  onEdit: (message: Message) => void;
  onDelete: (id: string) => unknown;
  onPin: (id: string, on: boolean) => unknown;
  onReact: (message: Message, emoji: string, on: boolean) => unknown;
  onRetry: (messageId: string, goOn: boolean) => unknown;
}

const ROWS = ".message[data-id]";
const NEAR = 1_000; // px from an end of the loaded messages at which more are loaded
const FLASH = 2_000; // ms for which the target of a jump is highlighted

/**
 * A room's messages, oldest first. All loaded messages are in the page, at most `MOST`, so each row's height is known rather than
 * estimated, and further messages join without a jump. The rest is loaded as the reader comes near it.
 */
export function MessageList({ ref, here, room, me, outbox, assistant, onReply, onEdit, onDelete, onPin, onReact, onRetry }: Props) {
  const { messages = [], hasOlder, hasNewer, isLoading, loadOlder, loadNewer, loadAround, loadNewest, trim } = here;
  const scroller = useRef<HTMLElement>(null);
  const { isAtEnd, isFollowing, toEnd, leaveEnd, keep } = usePlace(scroller, ROWS, hasNewer);
  const isReading = useVisible() && isAtEnd && !hasNewer && here.messages !== undefined;
  const { divider, clear } = useDivider(room, isReading);
  const [focused, setFocused] = useState<string>();
  const [target, setTarget] = useState<string>();

  const rows = useMemo(
    () =>
      toRows(messages, outbox.outgoing, {
        isBegin: here.messages !== undefined && !hasOlder,
        divider,
        me,
        reply: hasNewer ? undefined : assistant.reply,
      }),
    [messages, here.messages, outbox.outgoing, hasOlder, hasNewer, divider, me, assistant.reply],
  );
  const readers = useReaders(room, messages, me);
  const isOwner = room.members?.some(({ role, user }) => role === "OWNER" && user.id === me) === true;
  const pinned = useMemo(() => room.kind !== "GENERAL" && new Set(room.pins?.map(({ message }) => message.id)), [room.kind, room.pins]);
  const answers = useMemo(() => new Map(messages.map(({ replyToId, id }) => [replyToId, id])), [messages]); // the last one to each question

  useEffect(() => {
    if (isReading) here.read(); // repeated calls do nothing
  });

  function loadMore(): void {
    const { current: element } = scroller;
    if (!element || messages.length === 0 || isLoading || target !== undefined) return;
    if (element.scrollTop < NEAR && hasOlder) void loadOlder();
    else if (below(element) < NEAR && hasNewer && !isFollowing()) void loadNewer();
  }
  useEffect(() => {
    if (here.problem === undefined) loadMore(); // also without scrolling: the messages may not fill the screen yet
  });

  useEffect(() => {
    const { current: element } = scroller;
    if (element && messages.length > MOST) trim(element.scrollTop > below(element) ? "older" : "newer");
  }, [messages, trim]);

  useEffect(() => {
    if (hasNewer && isFollowing()) void loadNewest(); // the reader left the room in its history, or asked for the newest
  }, [hasNewer, isFollowing, loadNewest]);

  const isThere = target !== undefined && messages.some(({ id }) => id === target);
  useLayoutEffect(() => {
    if (!isThere) return;
    rowOf(scroller.current, target)?.scrollIntoView({ block: "center" });
    const timer = setTimeout(() => setTarget(undefined), FLASH);
    return () => clearTimeout(timer);
  }, [target, isThere]);

  // A removed row loses the focus. Move the focus to the list, so that keys still scroll it.
  const holder = useRef<Element>(undefined); // the focused element in the list
  useLayoutEffect(() => {
    if (!holder.current || holder.current.isConnected) return;
    holder.current = undefined;
    if (document.activeElement === document.body) scroller.current?.focus({ preventScroll: true });
  });

  const known = useRef(messages);
  useEffect(() => {
    known.current = messages;
  });
  const jumpTo = useCallback(
    (messageId: string) => {
      leaveEnd();
      setTarget(messageId);
      if (!known.current.some(({ id }) => id === messageId)) void loadAround(messageId);
    },
    [loadAround, leaveEnd],
  );

  function toNewest(): void {
    toEnd();
    if (hasNewer) void loadNewest();
  }
  useImperativeHandle(ref, () => ({
    toNewest() {
      clear();
      toNewest();
    },
    jumpTo,
  }));

  /** Arrow keys move between messages, and from the list to the last message on the screen. Tab moves on to a message's buttons. */
  function onKeyDown(event: KeyboardEvent): void {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>(ROWS)];
    const at = event.target === event.currentTarget ? afterScreen(event.currentTarget, all) : all.indexOf(event.target as HTMLElement);
    if (step === undefined || at === -1) return;
    event.preventDefault();
    const next = all[at + step];
    next?.focus({ preventScroll: true }); // otherwise the browser scrolls it to the middle
    next?.scrollIntoView({ block: "nearest" });
  }

  const renderRow = (row: Row) => {
    switch (row.kind) {
      case "begin":
        return (
          <p className="quiet centred">
            {messages.length === 0 && outbox.outgoing.length === 0
              ? "No messages yet. Say hello!"
              : "This is the start of the conversation."}
          </p>
        );
      case "day":
        return (
          <p className="day">
            <span>{row.day}</span>
          </p>
        );
      case "new":
        return (
          <p className="new">
            <span>New messages</span>
          </p>
        );
      case "outgoing":
        return <OutgoingRow outgoing={row.outgoing} onSendAgain={outbox.sendAgain} onDiscard={outbox.discard} />;
      case "reply":
        return (
          <ReplyRow
            reply={row.reply}
            name={room.kind === "PRIVATE" ? room.name : "Assistant"}
            isMine={messages.some(({ id, from }) => id === row.reply.replyTo && from.id === me)}
            onCancel={assistant.cancel}
            onDismiss={assistant.dismiss}
            onRetry={onRetry}
          />
        );
      case "message":
        return (
          <MessageRow
            message={row.message}
            follows={row.follows}
            me={me}
            mayDelete={isOwner || row.message.from.id === me}
            isPinned={pinned ? pinned.has(row.key) : undefined}
            readers={readers.get(row.key)}
            isFocused={row.key === focused}
            isTarget={row.key === target}
            mayRetry={row.message.replyTo?.from.id === me && answers.get(row.message.replyToId) === row.key}
            onFocus={setFocused}
            onJump={jumpTo}
            onReply={onReply}
            onEdit={onEdit}
            onDelete={onDelete}
            onPin={onPin}
            onReact={onReact}
            onRetry={onRetry}
          />
        );
    }
  };

  return (
    <div className="list">
      <section
        className="scroller"
        ref={scroller}
        aria-label="Messages"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the list scrolls, and its keys lead to the messages
        tabIndex={0}
        onScroll={() => {
          keep();
          loadMore();
        }}
        onFocus={({ target }) => {
          holder.current = target;
        }}
        onBlur={() => {
          holder.current = undefined;
        }}
        onKeyDown={onKeyDown}
      >
        <div className="above" />
        <ol>
          {rows.map((row) => (
            <li key={row.key}>{renderRow(row)}</li>
          ))}
        </ol>
      </section>
      {isLoading && <p className="loading quiet">Loading…</p>}
      {here.messages && <Announcement messages={hasNewer ? undefined : messages} me={me} />}
      {(!isAtEnd || hasNewer) && (
        <button type="button" className="to-newest" onClick={toNewest}>
          <Icon name="down" />
          <span className="unseen">Jump to latest</span>
          {room.unread.count > 0 && (
            <span className="badge">
              {room.unread.count}
              <span className="unseen"> unread</span>
            </span>
          )}
        </button>
      )}
    </div>
  );
}

const below = ({ scrollHeight, clientHeight, scrollTop }: HTMLElement) => scrollHeight - clientHeight - scrollTop;

/** The index of the first row that ends below the screen, but at least 1; the number of rows if there is none. */
function afterScreen(scroller: Element, rows: Element[]): number {
  const { bottom } = scroller.getBoundingClientRect();
  const place = rows.findIndex((row) => row.getBoundingClientRect().bottom > bottom + 1);
  return place === -1 ? rows.length : Math.max(1, place);
}

const rowOf = (scroller: HTMLElement | null, id: string) => scroller?.querySelector(`[data-id="${CSS.escape(id)}"]`);
