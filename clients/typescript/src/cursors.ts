/** Where a client keeps how far each of its streams has come: across reloads, if it is kept outside of memory. */
export interface CursorStore {
  get(key: string): string | undefined;
  set(key: string, cursor: string): void;
}

/** Forgotten with the page. */
export function inMemory(): CursorStore {
  const cursors = new Map<string, string>();
  return { get: (key) => cursors.get(key), set: (key, cursor) => void cursors.set(key, cursor) };
}

/** In `localStorage`, or anything like it. */
export function inStorage(storage: Pick<Storage, "getItem" | "setItem">, prefix = "hub-cursor:"): CursorStore {
  return {
    get: (key) => storage.getItem(prefix + key) ?? undefined,
    set: (key, cursor) => storage.setItem(prefix + key, cursor),
  };
}
