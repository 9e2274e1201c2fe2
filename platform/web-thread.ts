import { describe } from '../runtime/errors.ts'
import type { Thread } from './platform.ts'

/** A web worker as a thread. unloaded: what to say when the worker fails without a word, as one that cannot be loaded does. */
export function webThread(worker: Worker, unloaded: string): Thread {
  if (typeof worker?.postMessage !== 'function') {
    throw new Error(`\`workers\` should return a Worker, found ${describe(worker)}`)
  }
  const { ref, unref } = worker as { ref?: () => void; unref?: () => void } // Bun
  const locks = globalThis.navigator?.locks as LockManager | undefined
  const lock = locks && `bareclip-${crypto.randomUUID()}`
  return {
    lock,
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.addEventListener('message', ({ data }) => listener(data)),
    onEnd(listener) {
      worker.addEventListener('error', (event) => {
        event.preventDefault() // or it becomes an error of the page as well
        listener(event.error ?? new Error(event.message || unloaded))
      })
      worker.addEventListener('messageerror', () => listener(new Error('a message could not be read')))
      worker.addEventListener('close', () => listener(new Error('it was terminated'))) // Bun
      if (!lock) return
      // In browsers no event tells that a worker was terminated, but its lock is handed on to whoever asked for it next.
      const watch = ({ data }: MessageEvent) => {
        worker.removeEventListener('message', watch)
        if ((data as { lock?: unknown } | null)?.lock !== lock) return
        locks.request(lock, () => listener(new Error('it was terminated'))).catch(() => {})
      }
      worker.addEventListener('message', watch)
    },
    ref: () => ref?.call(worker),
    unref: () => unref?.call(worker),
    terminate: () => worker.terminate(),
  }
}
