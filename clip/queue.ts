/** Runs one task at a time, in the order of asking. */
export interface Queue {
  /** A task whose signal aborts while it waits never starts; the call rejects with the signal's reason. */
  run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
      const turn = last.then(() => {
        signal?.throwIfAborted()
        return task()
      })
      last = turn.catch(() => {})
      return signal ? Promise.race([turn, aborted(signal, turn)]) : turn
    },
  }
}

/** Rejects when the signal aborts; forgets the signal when `until` settles. */
function aborted(signal: AbortSignal, until: Promise<unknown>): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    const forget = () => signal.removeEventListener('abort', onAbort)
    until.then(forget, forget)
  })
}
