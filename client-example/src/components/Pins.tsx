import type { Pin } from "../chat/rooms";
import { asMoment, asShortTime } from "../time";
import { Dialog } from "./Dialog";
import { Icon } from "./Icon";

interface Props {
  pins: readonly Pin[];
  onShow: (messageId: string) => void;
  onUnpin: (messageId: string) => unknown;
  onClose: () => void;
}

/** A room's pinned messages, the latest pin first. */
export function Pins({ pins, onShow, onUnpin, onClose }: Props) {
  return (
    <Dialog title="Pinned messages" onClose={onClose}>
      {pins.length === 0 && <p className="quiet">No pinned messages.</p>}
      <ul className="pins" aria-label="Pinned messages">
        {pins.map(({ message, by, at }) => (
          <li key={message.id}>
            <button
              type="button"
              className="row small"
              onClick={() => {
                onClose();
                onShow(message.id);
              }}
            >
              <span className="pin">
                <span className="ellipsis">
                  <strong>
                    <bdi>{message.from.name}</bdi>
                  </strong>{" "}
                  {message.text.slice(0, 200)}
                </span>
                <span className="quiet ellipsis" title={asMoment(at)}>
                  Pinned by <bdi>{by.name}</bdi>, {asShortTime(at)}
                </span>
              </span>
            </button>
            <button type="button" className="icon-button" aria-label="Unpin" onClick={() => void onUnpin(message.id)}>
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
