/** Where the outbox lies: one IndexedDB of this browser, written before anything is called kept. */
import type { Ask, Kept, Store } from "./outbox";

const NAME = "greenchannel-outbox";
const TABLE = "waiting";
const LOCK = "greenchannel-outbox";

/** It could not be kept: the browser is full, or keeps nothing at all. */
export class NotKept extends Error {
  constructor(
    readonly full: boolean,
    cause: unknown,
  ) {
    super(full ? "the browser's store is full" : "the browser keeps nothing", { cause });
  }
}

export const browserStore: Store = {
  all: () => within("readonly", (table) => table.getAll() as IDBRequest<Kept[]>),
  put: async (one) => {
    await within("readwrite", (table) => table.put(one));
  },
  remove: async (id) => {
    await within("readwrite", (table) => table.delete(id));
  },
};

async function within<T>(
  mode: IDBTransactionMode,
  act: (table: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const base = await opened();
  try {
    return await new Promise<T>((done, failed) => {
      // Strict: on the disk when it is called kept, not on its way there.
      const transaction = base.transaction(TABLE, mode, { durability: "strict" });
      const request = act(transaction.objectStore(TABLE));
      transaction.oncomplete = () => done(request.result);
      transaction.onabort = () => failed(notKept(transaction.error));
      transaction.onerror = () => failed(notKept(transaction.error ?? request.error));
    });
  } catch (failure) {
    // What the browser refuses at once, a value too large for it, comes as an error of its own.
    throw failure instanceof DOMException ? notKept(failure) : failure;
  } finally {
    base.close();
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((done, failed) => {
    if (typeof indexedDB === "undefined") return failed(new NotKept(false, "no IndexedDB"));
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "id" });
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(notKept(request.error));
  });
}

const notKept = (error: DOMException | null): NotKept =>
  new NotKept(error?.name === "QuotaExceededError", error);

/** One sender at a time among the pages and the worker; false where another is at it. */
export async function alone(run: () => Promise<void>): Promise<boolean> {
  const { locks } = navigator;
  if (!locks) {
    // Pages over plain HTTP have none, and no worker either. Two pages at once are the service's to tell apart.
    await run();
    return true;
  }
  return locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock === null) return false;
    await run();
    return true;
  });
}

export const askService: Ask = async (path, init, most_ms) => {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), most_ms);
  try {
    return await fetch(path, { ...init, credentials: "same-origin", signal: control.signal });
  } finally {
    clearTimeout(timer);
  }
};

/** Pages and worker tell each other that something has changed. */
export const CHANNEL = "greenchannel-outbox";
export const SYNC_TAG = "greenchannel-outbox";
