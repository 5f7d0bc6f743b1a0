import {
  type KeyboardEvent,
  type Ref,
  useCallback,
  useEffect,
  useEffectEvent,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { Virtualizer, type VirtualizerHandle } from "virtua";
import type { Room } from "../chat/rooms";
import { type Row, toRows } from "../chat/rows";
import type { MessagePartsFragment as Message } from "../gql/graphql";
import { useDivider } from "../hooks/useDivider";
import type { useOutbox } from "../hooks/useOutbox";
import type { useReply } from "../hooks/useReply";
import type { useRoom } from "../hooks/useRoom";
import { useVisible } from "../hooks/useVisible";
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
  onDelete: (id: string) => void;
  onReact: (message: Message, emoji: string, on: boolean) => void;
  onRetry: (messageId: string, goOn: boolean) => void;
}

const NEAR = 600; // px from an end of what is loaded, at which more is asked for
const AT_END = 40; // px from the newest message within which one stays with it
const SETTLED = 10; // frames without a change, after which rows are taken for measured
const TOUCH_LASTS = 500; // ms after the last move of a hand in which the list may yet roll on
const FLASH = 2_000; // ms that a message is marked to which one jumped

/** What was said, oldest first. Of a long list, only what is on the screen is in the page. */
export function MessageList({ ref, here, room, me, outbox, assistant, onReply, onEdit, onDelete, onReact, onRetry }: Props) {
  const { messages = [], hasOlder, hasNewer, isLoading } = here;
  const [isAtEnd, setIsAtEnd] = useState(true);
  const staysAtEnd = useRef(true); // the same, known before the next render: rows are measured in between
  const lastTop = useRef(0);
  const touchedAt = useRef(Number.NEGATIVE_INFINITY); // when the reader last moved the list (ms)
  const [stretch, setStretch] = useState(0); // of another stretch of the history the list knows no heights
  const isReading = useVisible() && isAtEnd && !hasNewer && here.messages !== undefined;
  const { divider, clear } = useDivider(room, isReading);
  const [focused, setFocused] = useState<string>();
  const [target, setTarget] = useState<string>();
  const list = useRef<VirtualizerHandle>(null);
  const scroller = useRef<HTMLDivElement>(null);

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
  const answers = useMemo(() => new Map(messages.map(({ replyToId, id }) => [replyToId, id])), [messages]); // the last one of each question
  const shift = useIsPrepended(messages);
  const indexOf = (messageId: string) => rows.findIndex((row) => row.kind === "message" && row.key === messageId);
  // Not by the list's scrollToIndex: that goes on until all is measured, and would carry off a reader who has begun to scroll.
  const toEnd = () => {
    if (!scroller.current) return;
    scroller.current.scrollTop = scroller.current.scrollHeight;
    lastTop.current = scroller.current.scrollTop; // of a shorter list this is higher up, and no reader's doing
  };

  // Stays with the newest message as rows come, or as the ones there grow.
  const stay = () => {
    if (staysAtEnd.current && !hasNewer && rows.length > 0) toEnd();
  };
  useLayoutEffect(stay);

  // The list moves on by the height of older rows that come, as far as it can tell before they are measured. Who waits for them sees
  // the same message at the same place all the time; who scrolls is not held.
  const held = shift ? firstOnScreen(scroller.current) : undefined; // as it is before these rows are drawn
  useLayoutEffect(() => {
    if (held) hold(held);
  });

  /**
   * Keeps a message at a place until nothing moves any more, or the reader moves the list.
   * @param untouchedSince a move of the reader's from then on ends it (ms)
   * @param then called when the message is there and nothing moves
   */
  function hold({ id, top }: Place, untouchedSince = performance.now() - TOUCH_LASTS, then?: () => void): void {
    let frames = 0; // in which nothing moved
    const keep = () => {
      const { current } = scroller;
      if (!current || touchedAt.current > untouchedSince) return then?.();
      if (frames++ >= SETTLED) return then?.();
      const now = placeOf(current, id) ?? (list.current?.getItemOffset(indexOf(id)) ?? 0) - current.scrollTop;
      if (Math.abs(now - top) >= 1) {
        const before = current.scrollTop;
        current.scrollTop += now - top;
        if (current.scrollTop !== before) frames = 0; // at either end there is no more to move
      }
      requestAnimationFrame(keep);
    };
    keep();
  }

  useEffect(() => {
    if (isReading) here.read(); // tells nothing twice
  });

  // Not by scrollToIndex here either: that gives up where a busy machine takes more than 150 ms to measure the rows.
  const showTarget = useEffectEvent((messageId: string, then: () => void) => {
    const top = (scroller.current?.clientHeight ?? 0) / 3;
    hold({ id: messageId, top }, performance.now(), then);
  });
  const isThere = target !== undefined && indexOf(target) !== -1;
  useEffect(() => {
    if (target === undefined || !isThere) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    showTarget(target, () => {
      if (!isOver) timer = setTimeout(() => setTarget(undefined), FLASH);
    });
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [target, isThere]);

  const beAtEnd = useCallback((is: boolean) => {
    staysAtEnd.current = is;
    setIsAtEnd(is);
  }, []);

  function touched(): void {
    touchedAt.current = performance.now();
  }

  // Measured on the page itself: while rows are put in, the list's own numbers are of before and after.
  function onScroll(): void {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = scroller.current ?? {};
    const below = scrollHeight - clientHeight - scrollTop;
    // Only who scrolls up leaves the end: rows that turn out to be higher move it away as well.
    if (below < AT_END) beAtEnd(true);
    else if (scrollTop < lastTop.current) beAtEnd(false);
    lastTop.current = scrollTop;
    if (isLoading || target !== undefined) return; // what came above would lead away from where one has jumped to
    if (scrollTop < NEAR && hasOlder) void here.loadOlder();
    else if (below < NEAR && hasNewer) void here.loadNewer();
  }

  // Where nobody scrolls any more: the screen is so high that there is nothing to scroll, or the last page was on its way as they did.
  useEffect(() => {
    if (messages.length === 0 || isLoading || target !== undefined || !hasOlder || !scroller.current) return;
    const { scrollTop, scrollHeight, clientHeight } = scroller.current;
    if (scrollHeight < clientHeight + NEAR || (scrollTop < NEAR && !staysAtEnd.current)) void here.loadOlder();
  });

  const jumpTo = useCallback(
    (messageId: string) => {
      beAtEnd(false);
      setTarget(messageId);
      if (!here.messages?.some(({ id }) => id === messageId)) void here.loadAround(messageId);
    },
    [here.messages, here.loadAround, beAtEnd],
  );

  async function toNewest(): Promise<void> {
    if (hasNewer) await here.loadNewest();
    beAtEnd(true);
    if (hasNewer) setStretch(stretch + 1);
    else toEnd();
  }

  useImperativeHandle(ref, () => ({
    toNewest() {
      clear();
      void toNewest();
    },
  }));

  /** Arrows go from message to message; the buttons of the one that has the focus are behind it. */
  function onKeyDown(event: KeyboardEvent): void {
    touched();
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined || !(event.target instanceof HTMLElement) || !event.target.matches(".message")) return;
    event.preventDefault();
    const at = focused === undefined ? -1 : messages.findIndex(({ id }) => id === focused);
    const next = messages[at + step];
    if (!next) return;
    setFocused(next.id);
    list.current?.scrollToIndex(indexOf(next.id), { align: "nearest" });
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(next.id)}"]`)?.focus());
  }

  const entrance = focused !== undefined && messages.some(({ id }) => id === focused) ? focused : messages.at(-1)?.id;
  const readersOf = useReaders(room, me);
  const renderRow = (row: Row) => {
    switch (row.kind) {
      case "begin":
        return (
          <p key={row.key} className="quiet centred">
            {messages.length === 0 && outbox.outgoing.length === 0 ? "Nothing yet. Say something." : "This is where it began."}
          </p>
        );
      case "day":
        return (
          <p key={row.key} className="day">
            <span>{row.day}</span>
          </p>
        );
      case "new":
        return (
          <p key={row.key} className="new">
            <span>New messages</span>
          </p>
        );
      case "outgoing":
        return <OutgoingRow key={row.key} outgoing={row.outgoing} onSendAgain={outbox.sendAgain} onDiscard={outbox.discard} />;
      case "reply":
        return (
          <ReplyRow
            key={row.key}
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
            key={row.key}
            message={row.message}
            follows={row.follows}
            me={me}
            mayDelete={row.message.from.id === me || isOwner(room, me)}
            readers={readersOf(row.message.id)}
            isEntrance={row.message.id === entrance}
            isTarget={row.message.id === target}
            mayRetry={row.message.replyTo?.from.id === me && answers.get(row.message.replyToId) === row.message.id}
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
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the messages in it */}
      <div
        className="scroller"
        ref={scroller}
        onScroll={onScroll}
        onWheel={touched}
        onTouchMove={touched}
        onPointerDown={touched}
        onKeyDown={onKeyDown}
      >
        <div className="above" />
        <Virtualizer
          key={stretch}
          ref={list}
          as="ol"
          item="li"
          shift={shift}
          onResize={() => requestAnimationFrame(stay)}
          data={rows}
          bufferSize={600}
        >
          {renderRow}
        </Virtualizer>
      </div>
      {isLoading && <p className="loading quiet">Loading…</p>}
      <Announcement newest={hasNewer ? undefined : messages.at(-1)} me={me} />
      {(!isAtEnd || hasNewer) && (
        <button type="button" className="to-newest" onClick={() => void toNewest()}>
          <Icon name="down" />
          <span className="unseen">To the newest message</span>
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

/** A message, and how far below the upper edge it begins (px). */
interface Place {
  id: string;
  top: number;
}

function firstOnScreen(scroller: HTMLElement | null): Place | undefined {
  for (const { dataset } of scroller?.querySelectorAll<HTMLElement>(".message[data-id]") ?? []) {
    const { id = "" } = dataset;
    const top = scroller ? placeOf(scroller, id) : undefined;
    if (top !== undefined && top >= 0) return { id, top };
  }
  return undefined;
}

/** @returns undefined where the message is not drawn */
function placeOf(scroller: HTMLElement, id: string): number | undefined {
  const message = scroller.querySelector(`[data-id="${CSS.escape(id)}"]`);
  return message ? message.getBoundingClientRect().top - scroller.getBoundingClientRect().top : undefined;
}

/** Whether these messages are the ones before with older ones in front of them: then the place on the screen counts from the end. */
function useIsPrepended(messages: readonly Message[]): boolean {
  const [first, last] = [messages[0]?.id, messages.at(-1)?.id];
  const before = useRef<{ first: string | undefined; last: string | undefined }>({ first, last });
  useLayoutEffect(() => {
    before.current = { first, last };
  });
  return before.current.first !== undefined && before.current.first !== first && before.current.last === last;
}

const isOwner = ({ members }: Room, me: string) => members?.some(({ role, user }) => role === "OWNER" && user.id === me) === true;

/** Who else has read up to a message and no further. */
function useReaders({ members }: Room, me: string): (messageId: string) => string | undefined {
  const names = useMemo(() => {
    const byMessage = new Map<string, string>();
    for (const { user, readUpTo } of members ?? []) {
      if (user.id === me || readUpTo === null) continue;
      const others = byMessage.get(readUpTo);
      byMessage.set(readUpTo, others === undefined ? user.name : `${others}, ${user.name}`);
    }
    return byMessage;
  }, [members, me]);
  return (messageId) => names.get(messageId);
}

/** Tells those who do not see the page what others say, once. */
function Announcement({ newest, me }: { newest: Message | undefined; me: string }) {
  const [first] = useState(newest?.id);
  const isNews = newest !== undefined && newest.id !== first && newest.from.id !== me;
  return (
    <p className="unseen" role="log" aria-live="polite" aria-label="New messages">
      {isNews && `${newest.from.name}: ${newest.text}`}
    </p>
  );
}
