/** What the worker uses of its global scope. The compiler knows pages; a worker's own names are written down here. */

export interface Shell {
  /** Of this build: another build has another one. */
  version: string;
  /** Addresses of all that the clinic's page needs to open without a network. */
  files: readonly string[];
}

export interface Extendable {
  waitUntil(done: Promise<unknown>): void;
}

export interface FetchLike extends Extendable {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}

export interface PushLike extends Extendable {
  data: { json(): unknown } | null;
}

export interface SyncLike extends Extendable {
  tag: string;
}

export interface Shown {
  close(): void;
  data?: { ref?: unknown };
}

export interface PageLike {
  focus?(): Promise<unknown>;
}

export interface SubscriptionLike {
  options?: object;
  toJSON(): object;
}

export interface Scope {
  SHELL?: Shell;
  location: { origin: string };
  addEventListener(name: string, run: (event: never) => void): void;
  skipWaiting(): Promise<void>;
  clients: {
    claim(): Promise<void>;
    matchAll(which: object): Promise<readonly PageLike[]>;
    openWindow(path: string): Promise<unknown>;
  };
  registration: {
    showNotification(title: string, options: object): Promise<void>;
    getNotifications(which: object): Promise<readonly Shown[]>;
    pushManager: { subscribe(options: object): Promise<SubscriptionLike> };
  };
}
