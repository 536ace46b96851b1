// One writer at a time, also among tabs and workers.

/** The writes of this realm, for platforms without Web Locks. */
const queues = new Map<string, Promise<unknown>>();

/** Runs `work` while no other tab or worker of this origin runs one under `name`. */
export async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = globalThis.navigator?.locks as LockManager | undefined;
  if (locks !== undefined) return (await locks.request(name, work)) as T;
  const mine = (queues.get(name) ?? Promise.resolve()).then(work);
  const settled = mine.then(
    () => {},
    () => {},
  );
  queues.set(name, settled);
  return mine;
}
