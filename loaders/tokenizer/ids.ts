/** Token ids in order; those past the limit are only counted. */
export interface Ids {
  /** All that were pushed. */
  count: number
  push(id: number): void
  /** The kept ones, between the given first and last ones. */
  toArray(first: readonly number[], last: readonly number[]): Int32Array
}

export function createIds(limit: number): Ids {
  let kept = new Int32Array(Math.min(limit, 256))

  function grow(): void {
    const grown = new Int32Array(Math.min(limit, 2 * kept.length))
    grown.set(kept)
    kept = grown
  }

  return {
    count: 0,
    push(id) {
      const index = this.count++
      if (index >= limit) return
      if (index === kept.length) grow()
      kept[index] = id
    },
    toArray(first, last) {
      const body = kept.subarray(0, Math.min(this.count, limit))
      const ids = new Int32Array(first.length + body.length + last.length)
      ids.set(first)
      ids.set(body, first.length)
      ids.set(last, first.length + body.length)
      return ids
    },
  }
}
