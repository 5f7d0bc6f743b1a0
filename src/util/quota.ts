/** Limits how many of something each holder, such as a user or an address, has at the same time. */
export class Quota {
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes one more for `who`; false if they are at the limit. */
  take(who: string): boolean {
    const taken = this.#taken.get(who) ?? 0;
    if (taken >= this.#most) return false;
    this.#taken.set(who, taken + 1);
    return true;
  }

  /** Returns one that was taken. */
  release(who: string): void {
    const left = (this.#taken.get(who) ?? 0) - 1;
    if (left > 0) this.#taken.set(who, left);
    else this.#taken.delete(who);
  }
}
