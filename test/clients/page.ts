import { follow } from "./follow.js";
import { connect } from "./graphql-ws.js";

/** Shows a room's messages live in a list until the signal aborts. */
export async function showRoom(room: string, list: HTMLElement, url: string, token: string, signal: AbortSignal): Promise<void> {
  const row = ({ text }: { text: string }) => Object.assign(document.createElement("li"), { textContent: text });
  await follow(connect(url, token), {
    onRoom: (roomId, messages) => roomId === room && list.replaceChildren(...messages.map(row)),
    onMessage: (message) => message.roomId === room && list.append(row(message)),
    signal,
  });
}
