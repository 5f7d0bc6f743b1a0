/** A cache of values by text. It evicts the least recently used values when the texts together exceed a number of characters. */
export class Memo<V> {
  readonly #most: number;
  readonly #longest: number;
  readonly #kept = new Map<string, V>();
  #characters = 0;

  /**
   * @param most maximum number of characters of all texts together
   * @param longest maximum number of characters of a cached text
   */
  constructor(most: number, longest: number) {
    this.#most = most;
    this.#longest = longest;
  }

  get(text: string): V | undefined {
    const value = this.#kept.get(text);
    if (value === undefined) return undefined;
    this.#kept.delete(text); // moves it to the end
    this.#kept.set(text, value);
    return value;
  }

  set(text: string, value: V): void {
    if (text.length > this.#longest) return;
    if (!this.#kept.delete(text)) this.#characters += text.length;
    this.#kept.set(text, value);
    for (const [oldest] of this.#kept) {
      if (this.#characters <= this.#most) break;
      this.#kept.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}
