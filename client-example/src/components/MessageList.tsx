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
  /** Shows the newest message, and goes on with what comes. */
  toNewest(): void;
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
  onReact: (message: Message, emoji: string, on: boolean) => unknown;
  onRetry: (messageId: string, goOn: boolean) => unknown;
}

const ROWS = ".message[data-id]";
const NEAR = 1_000; // px from an end of what is loaded, at which more is asked for
const FLASH = 2_000; // ms that a message is marked to which one jumped

/**
 * What was said, oldest first. All that is loaded is in the page, at most `MOST` messages: so each row's height is known, not estimated,
 * and what is loaded next joins on without a jump. The rest is loaded as the reader comes near it.
 */
export function MessageList({ ref, here, room, me, outbox, assistant, onReply, onEdit, onDelete, onReact, onRetry }: Props) {
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
  const answers = useMemo(() => new Map(messages.map(({ replyToId, id }) => [replyToId, id])), [messages]); // the last one of each question

  useEffect(() => {
    if (isReading) here.read(); // tells nothing twice
  });

  function loadMore(): void {
    const { current: element } = scroller;
    if (!element || messages.length === 0 || isLoading || target !== undefined) return;
    if (element.scrollTop < NEAR && hasOlder) void loadOlder();
    else if (below(element) < NEAR && hasNewer && !isFollowing()) void loadNewer();
  }
  useEffect(() => {
    if (here.problem === undefined) loadMore(); // also without scrolling: what came may not have filled the screen
  });

  useEffect(() => {
    const { current: element } = scroller;
    if (element && messages.length > MOST) trim(element.scrollTop > below(element) ? "older" : "newer");
  }, [messages, trim]);

  useEffect(() => {
    if (hasNewer && isFollowing()) void loadNewest(); // the room was left amid its history, or the reader has asked for the newest
  }, [hasNewer, isFollowing, loadNewest]);

  const isThere = target !== undefined && messages.some(({ id }) => id === target);
  useLayoutEffect(() => {
    if (!isThere) return;
    rowOf(scroller.current, target)?.scrollIntoView({ block: "center" });
    const timer = setTimeout(() => setTarget(undefined), FLASH);
    return () => clearTimeout(timer);
  }, [target, isThere]);

  // A row that goes away takes the focus with it: to the list then, so that the keys go on to scroll it.
  const holder = useRef<Element>(undefined); // what has the focus in the list
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
  }));

  /** Arrows go from message to message, from the list to the last one on the screen; behind a message are its buttons. */
  function onKeyDown(event: KeyboardEvent): void {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>(ROWS)];
    const at = event.target === event.currentTarget ? afterScreen(event.currentTarget, all) : all.indexOf(event.target as HTMLElement);
    if (step === undefined || at === -1) return;
    event.preventDefault();
    const next = all[at + step];
    next?.focus({ preventScroll: true }); // else the browser moves it to the middle
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
            readers={readers.get(row.key)}
            isFocused={row.key === focused}
            isTarget={row.key === target}
            mayRetry={row.message.replyTo?.from.id === me && answers.get(row.message.replyToId) === row.key}
            onFocus={setFocused}
            onJump={jumpTo}
            onReply={onReply}
            onEdit={onEdit}
            onDelete={onDelete}
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
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and its keys lead to the messages
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

/** The place of the first row that is not wholly on the screen, nor above it; never that of the very first. */
function afterScreen(scroller: Element, rows: Element[]): number {
  const { bottom } = scroller.getBoundingClientRect();
  const place = rows.findIndex((row) => row.getBoundingClientRect().bottom > bottom + 1);
  return place === -1 ? rows.length : Math.max(1, place);
}

const rowOf = (scroller: HTMLElement | null, id: string) => scroller?.querySelector(`[data-id="${CSS.escape(id)}"]`);
