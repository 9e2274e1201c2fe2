/** What one call does, by the formulas of its operation. */
export interface Work {
  readonly flops: number
  /** Least traffic: every operand once. */
  readonly bytes: number
  /** Of these, the results. */
  readonly bytesWritten: number
}

/** Rates of the device, in 10⁹ a second. */
export interface Ceilings {
  /** Operations of the kind that the kernel is made of, and that roof's name. */
  readonly peak: { readonly name: string; readonly rate: number }
  /** Bytes that are read and written again, both counted. */
  readonly copy: number
  /** Bytes that are only read. */
  readonly read: number
}

export interface Limit {
  readonly bound: 'compute' | 'memory'
  /** Name of the roof. */
  readonly roof: string
  /** The least time, in ms. */
  readonly ms: number
}

/**
 * The roofline (Williams, Waterman, Patterson, 2009), as a time: work / peak or traffic / bandwidth, whichever is longer. Memory
 * that is only read comes faster than memory that is copied, so what is written counts with as much of what is read at the speed of
 * a copy, and the rest of what is read at the speed of reading.
 */
export function limitOf({ flops, bytes, bytesWritten }: Work, { peak, copy, read }: Ceilings): Limit {
  const written = Math.min(bytesWritten, bytes)
  const copied = Math.min(bytes, 2 * written)
  const copyMs = copied / copy / 1e6
  const readMs = (bytes - copied) / read / 1e6
  const computeMs = flops / peak.rate / 1e6
  if (computeMs >= copyMs + readMs) return { bound: 'compute', roof: peak.name, ms: computeMs }
  return { bound: 'memory', roof: copyMs >= readMs ? 'copy' : 'read', ms: copyMs + readMs }
}
