/**
 * Texts by key that outlast a reload, in `localStorage`. Where that is full or not allowed they are kept in memory, until the page is closed.
 */
export class Kept {
  readonly #prefix: string;
  readonly #memory = new Map<string, string>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get(key: string): string | undefined {
    return this.#memory.get(key) ?? this.#stored((storage) => storage.getItem(this.#prefix + key)) ?? undefined;
  }

  /** All texts, in no order. */
  values(): string[] {
    const stored = this.#stored((storage) => Object.keys(storage).filter((key) => key.startsWith(this.#prefix))) ?? [];
    const keys = new Set([...stored.map((key) => key.slice(this.#prefix.length)), ...this.#memory.keys()]);
    return [...keys].flatMap((key) => this.get(key) ?? []);
  }

  /** @returns whether other tabs can see it too */
  set(key: string, text: string): boolean {
    const isStored = this.#stored((storage) => storage.setItem(this.#prefix + key, text)) !== null;
    if (isStored) this.#memory.delete(key);
    else this.#memory.set(key, text);
    return isStored;
  }

  remove(key: string): void {
    this.#memory.delete(key);
    this.#stored((storage) => storage.removeItem(this.#prefix + key));
  }

  clear(): void {
    this.#memory.clear();
    this.#stored((storage) => {
      for (const key of Object.keys(storage)) if (key.startsWith(this.#prefix)) storage.removeItem(key);
    });
  }

  /** @returns a function that ends it */
  onChangeInOtherTab(listener: () => void): () => void {
    const onStorage = ({ key }: StorageEvent) => {
      if (key === null || key.startsWith(this.#prefix)) listener();
    };
    addEventListener("storage", onStorage);
    return () => removeEventListener("storage", onStorage);
  }

  /** @returns null where the browser refuses */
  #stored<Result>(use: (storage: Storage) => Result): Result | null {
    try {
      return use(localStorage); // where storage is blocked, even naming it throws
    } catch {
      return null;
    }
  }
}
