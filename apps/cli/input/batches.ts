export interface BatchLimits<T> {
  /** A batch is full with so many items … */
  readonly items: number
  /** … or when their sizes reach this sum. */
  readonly size: number
  readonly sizeOf: (item: T) => number
  /** A batch that is not full goes out when nothing more came for so long, in milliseconds. */
  readonly idleMs: number
}

const idle = Symbol('idle')

/**
 * Collects items, in order, into batches that are never empty. While the caller works on one, the next item is waited for,
 * and no more. A slow producer that waits for answers gets them: a batch does not wait to be filled.
 */
export async function* inBatches<T>(source: AsyncIterable<T>, limits: BatchLimits<T>): AsyncGenerator<readonly T[]> {
  const iterator = source[Symbol.asyncIterator]()
  const ask = () => {
    const result = iterator.next()
    result.catch(() => {}) // the caller may stop before it is awaited
    return result
  }
  let next = ask()
  try {
    for (;;) {
      const batch: T[] = []
      let size = 0
      while (batch.length < limits.items && size < limits.size) {
        const result = batch.length === 0 ? await next : await orIdle(next, limits.idleMs)
        if (result === idle) break
        if (result.done) {
          if (batch.length > 0) yield batch
          return
        }
        batch.push(result.value)
        size += limits.sizeOf(result.value)
        next = ask()
      }
      yield batch
    }
  } finally {
    iterator.return?.().catch(() => {}) // not awaited: it would wait for an item that may never come
  }
}

async function orIdle<T>(next: Promise<T>, ms: number): Promise<T | typeof idle> {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    return await Promise.race([
      next,
      new Promise<typeof idle>((resolve) => {
        timer = setTimeout(resolve, ms, idle)
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
}
