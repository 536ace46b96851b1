// The clocks and the timer of a client.

/** The clocks and the timer of a client. An implementation must not throw. */
export interface Clock {
  /** Returns the time of day, in milliseconds since 1970. */
  now(): number;
  /** Returns the time of a clock that is never set and never goes back, in milliseconds since any moment. */
  monotonic(): number;
  /** Completes when this many milliseconds have passed, at most an hour. It ends its timer when `signal` is aborted. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** The clocks of the platform. Their timers keep no process of Node alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve) => {
      const timer: unknown = setTimeout(done, milliseconds);
      // In Node, a timer is an object. A call that waits keeps the process alive itself.
      (timer as { unref?: () => void }).unref?.();
      signal.addEventListener("abort", done, { once: true });
      function done(): void {
        clearTimeout(timer as number);
        signal.removeEventListener("abort", done);
        resolve();
      }
    }),
};
