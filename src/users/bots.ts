/** The accounts that are not people: they never own a group, and are added to groups without an invitation. */
export class Bots {
  readonly #ids: (() => string)[] = [];

  /** @param id returns a bot's user id, empty while it has no account */
  add(id: () => string): void {
    this.#ids.push(id);
  }

  get ids(): string[] {
    return this.#ids.map((id) => id()).filter((id) => id !== "");
  }
}
