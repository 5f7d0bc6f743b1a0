import type { UserId } from "../util/ids.js";
/** The accounts that are not people: they never own a group, and are added to groups without an invitation. */
export class Bots {
  readonly #ids: (() => UserId | "")[] = [];

  /** @param id returns a bot's user id, empty while it has no account */
  add(id: () => UserId | ""): void {
    this.#ids.push(id);
  }

  get ids(): UserId[] {
    return this.#ids.map((id) => id()).filter((id): id is UserId => id !== "");
  }
}
