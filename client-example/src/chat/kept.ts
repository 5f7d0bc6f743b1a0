/** Texts by key that survive a reload, in `localStorage`. If it is full or blocked, they stay in memory until the page closes. */
export class Kept {
  readonly #prefix: string;
  readonly #memory = new Map<string, string>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  get(key: string): string | undefined {
    return this.#memory.get(key) ?? this.#stored((storage) => storage.getItem(this.#prefix + key)) ?? undefined;
  }

  /** All texts, in no particular order. */
  values(): string[] {
    const stored = this.#stored((storage) => Object.keys(storage).filter((key) => key.startsWith(this.#prefix))) ?? [];
    const keys = new Set([...stored.map((key) => key.slice(this.#prefix.length)), ...this.#memory.keys()]);
    return [...keys].flatMap((key) => this.get(key) ?? []);
  }

  /** @returns whether other tabs can see the text too */
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

  /** @returns a function that removes the listener */
  onChangeInOtherTab(listener: () => void): () => void {
    const onStorage = ({ key }: StorageEvent) => {
      if (key === null || key.startsWith(this.#prefix)) listener();
    };
    addEventListener("storage", onStorage);
    return () => removeEventListener("storage", onStorage);
  }

  /** @returns null if the browser refuses */
  #stored<Result>(use: (storage: Storage) => Result): Result | null {
    try {
      return use(localStorage); // if storage is blocked, even reading this property throws
    } catch {
      return null;
    }
  }
}
