/** Bounds how much each of many has of something at once. */
export class Quota {
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes one more for `who`; false where they have all that they may. */
  take(who: string): boolean {
    const taken = this.#taken.get(who) ?? 0;
    if (taken >= this.#most) return false;
    this.#taken.set(who, taken + 1);
    return true;
  }

  /** Gives one back that was taken. */
  release(who: string): void {
    const left = (this.#taken.get(who) ?? 0) - 1;
    if (left > 0) this.#taken.set(who, left);
    else this.#taken.delete(who);
  }
}
