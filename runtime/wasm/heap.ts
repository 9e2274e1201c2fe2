import { BareclipError } from '../errors.ts'
import { Holes } from '../holes.ts'

/** In bytes. */
const page = 65536
/** What 32-bit addresses reach, in bytes. */
export const largestMemory = 65536 * page
/** Of every address that is given out: a cache line. */
export const alignment = 64
/** Left free at the bottom: no address is 0, and the module keeps its constants there, from byte 64 on (scripts/build-wasm.mjs). */
const bottom = 1024

/** One WebAssembly memory: what is asked for at the bottom stays until it is freed, what is above serves one pass after the other. */
export interface Heap {
  readonly memory: WebAssembly.Memory
  /** The address of `bytes` zeros that stay. Throws OUT_OF_MEMORY. */
  take(bytes: number, label: string): number
  /** Gives back what `take` gave. */
  free(address: number, bytes: number): void
  /** Makes room for `bytes` above everything that stays; the address. Contents undefined. Throws OUT_OF_MEMORY. */
  reserve(bytes: number, label: string): number
}

/** What a device will need, in bytes, as far as that is known before it is made. */
export interface MemoryPlan {
  /** For all weights. */
  readonly weights: number
  /** For the largest pass that is foreseen. Asked for only where the engine refuses all that could be addressed. */
  scratch(): number
}

/**
 * maximum: in bytes; address space, not memory, is set aside for it. An engine that refuses so much is asked for less, but
 * not for less than the plan. Throws OUT_OF_MEMORY.
 */
export function createHeap(shared: boolean, maximum = largestMemory, plan?: MemoryPlan): Heap {
  const { memory, limit } = createMemory(shared, Math.min(maximum, largestMemory), plan)
  const places = new Holes()
  let dirty = 0 // everything above was never written

  const grow = (end: number, label: string) => {
    if (end > limit) {
      throw new BareclipError(
        'OUT_OF_MEMORY',
        `no memory for ${label}, which would take it to ${mib(end)}, past the limit of ${mib(limit)}: use a smaller dtype, batch or text`,
      )
    }
    const missing = Math.ceil((end - memory.buffer.byteLength) / page)
    if (missing <= 0) return
    try {
      memory.grow(missing)
    } catch (cause) {
      throw new BareclipError('OUT_OF_MEMORY', `no memory for ${label}: use a smaller dtype, batch or text`, { cause })
    }
  }

  return {
    memory,
    take(bytes, label) {
      const size = aligned(bytes)
      const place = places.take(size)
      const start = bottom + place
      try {
        grow(start + size, label)
      } catch (error) {
        places.free(place, size)
        throw error
      }
      if (dirty > start) new Uint8Array(memory.buffer, start, Math.min(dirty - start, size)).fill(0)
      return start
    },
    free(address, bytes) {
      places.free(address - bottom, aligned(bytes))
      dirty = Math.max(dirty, address + bytes)
    },
    reserve(bytes, label) {
      const start = bottom + places.used
      grow(start + bytes, label)
      dirty = Math.max(dirty, start + bytes)
      return start
    },
  }
}

/** Bytes that `take` uses up for so many. */
export function aligned(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / alignment)) * alignment
}

function createMemory(
  shared: boolean,
  maximum: number,
  plan: MemoryPlan | undefined,
): { memory: WebAssembly.Memory; limit: number } {
  const whole = (bytes: number) => Math.ceil(bytes / page) * page
  const most = whole(maximum)
  const weights = Math.min(most, whole(bottom + (plan?.weights ?? 0)))
  let least: number | undefined
  for (let limit = most; ; ) {
    try {
      // Room for all weights from the start: some engines copy a memory that grows.
      const memory = new WebAssembly.Memory({ initial: weights / page, maximum: limit / page, shared })
      return { memory, limit }
    } catch (cause) {
      least ??= plan ? Math.min(most, whole(weights + plan.scratch())) : most
      if (limit === least) {
        const what = `WebAssembly memory of ${mib(weights)} that may grow to ${mib(least)}`
        throw new BareclipError('OUT_OF_MEMORY', `this engine gives no ${what}: use a smaller dtype`, { cause })
      }
      limit = Math.max(least, whole(limit / 2))
    }
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}
