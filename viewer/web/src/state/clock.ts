/**
 * The service's clock as the page knows it.
 *
 * The service's clock may be virtual: it may jump, and it may hold still. Durations therefore tick from the instants
 * in its messages and never from this machine's wall clock.
 */
import { signal } from "@preact/signals";

/** Two marks that moved by less than this share of the local time mean that the service's clock stands. */
const HELD_BELOW = 0.2;
/** Marks nearer to each other than this say nothing about whether the clock runs. */
const LEAST_SPAN_MS = 1500;

export class ServerClock {
  private serverMs: number | null = null;
  private localMs = 0;
  private markServerMs: number | null = null;
  private markLocalMs = 0;
  private held = false;

  /** `server_time` of a message: what the clock says now, be it earlier or later than thought. */
  observe(serverMs: number, localMs: number): void {
    if (this.markServerMs !== null && localMs - this.markLocalMs >= LEAST_SPAN_MS) {
      const moved = serverMs - this.markServerMs;
      this.held = moved >= 0 && moved < HELD_BELOW * (localMs - this.markLocalMs);
    }
    if (this.markServerMs === null || localMs - this.markLocalMs >= LEAST_SPAN_MS) {
      this.markServerMs = serverMs;
      this.markLocalMs = localMs;
    }
    this.serverMs = serverMs;
    this.localMs = localMs;
  }

  /** `at` of an event: the clock is not before it. Events caught up after a break lie in the past and move nothing. */
  notBefore(atMs: number, localMs: number): void {
    const now = this.now(localMs);
    if (now === null || atMs > now) {
      this.serverMs = atMs;
      this.localMs = localMs;
    }
  }

  /** Does the service's clock stand still, by its last messages? */
  get stands(): boolean {
    return this.held;
  }

  /** Null until the service has said what time it is. */
  now(localMs: number): number | null {
    if (this.serverMs === null) return null;
    return this.held ? this.serverMs : this.serverMs + (localMs - this.localMs);
  }
}

export const clock = new ServerClock();

/** The service's time in milliseconds, once a second; null until known. */
export const nowMs = signal<number | null>(null);

export function refreshNow(): void {
  nowMs.value = clock.now(performance.now());
}

export function observeServerTime(iso: string | undefined): void {
  if (iso === undefined) return;
  clock.observe(Date.parse(iso), performance.now());
  refreshNow();
}

export function startTicking(): void {
  setInterval(refreshNow, 1000);
}
