/**
 * The line to `/live`: resumes after the last event it has, tries again with growing pauses, and says how it stands.
 *
 * The class takes its socket, its timer and its clock from outside, so that its tests need no network and no sleep.
 */
import type { LiveMessage } from "../wire";

/** Marks come at least every 5 s; a line that is silent for longer than this is dead although it looks open. */
export const SILENCE_MS = 12_000;
/** Who has just been asked whether they are there answers sooner. */
export const ANSWER_MS = 5000;
/** The service says why before it closes, so something was heard. */
const SESSION_OVER = 4401;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((event: { data: string }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface Surroundings {
  open(path: string): SocketLike;
  later(run: () => void, ms: number): () => void;
  nowMs(): number;
  random(): number;
}

export interface Handlers {
  /** The newest sequence number held; 0 for none. */
  after(): number;
  message(message: LiveMessage): void;
  state(state: LineState): void;
  /** The line could not be opened: perhaps the session is over. */
  refused(): void;
}

export interface LineState {
  open: boolean;
  /** Local milliseconds since when there is no line; null while there is one. */
  lostAtMs: number | null;
}

export class LiveLine {
  private socket: SocketLike | null = null;
  private cancelTimer: () => void = () => {};
  private failures = 0;
  private lostAtMs: number | null;
  private stopped = false;

  constructor(
    private readonly world: Surroundings,
    private readonly handlers: Handlers,
  ) {
    this.lostAtMs = world.nowMs();
  }

  start(): void {
    this.stopped = false;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.cancelTimer();
    this.drop();
  }

  /**
   * The network is said to be back, or somebody looks again: do not wait for the pause to pass. A line that looks open
   * is asked whether it is: a machine that slept has not counted the silence.
   */
  hurry(): void {
    if (this.stopped) return;
    if (this.send({ type: "ping" })) {
      this.watchSilence(ANSWER_MS);
      return;
    }
    this.failures = 0;
    this.cancelTimer();
    this.drop();
    this.connect();
  }

  send(message: object): boolean {
    if (this.socket === null || this.lostAtMs !== null) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  private connect(): void {
    const after = this.handlers.after();
    const socket = this.world.open(after > 0 ? `/api/v1/live?after=${after}` : "/api/v1/live");
    let heard = false;
    this.socket = socket;
    this.watchSilence();
    socket.onmessage = (event) => {
      if (this.socket !== socket) return;
      this.watchSilence();
      const message = JSON.parse(event.data) as LiveMessage;
      heard = true;
      this.failures = 0;
      this.handlers.message(message);
      if (this.lostAtMs !== null) {
        this.lostAtMs = null;
        this.handlers.state({ open: true, lostAtMs: null });
      }
    };
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      if (!heard || code === SESSION_OVER) this.handlers.refused();
      this.lose();
    };
  }

  private watchSilence(most_ms = SILENCE_MS): void {
    this.cancelTimer();
    this.cancelTimer = this.world.later(() => this.lose(), most_ms);
  }

  private lose(): void {
    this.drop();
    this.lostAtMs ??= this.world.nowMs();
    this.handlers.state({ open: false, lostAtMs: this.lostAtMs });
    if (this.stopped) return;
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures);
    this.failures += 1;
    this.cancelTimer();
    // Half of the pause is drawn, so that a county's pages do not all come back in the same instant.
    this.cancelTimer = this.world.later(() => this.connect(), pause * (0.5 + 0.5 * this.world.random()));
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}
