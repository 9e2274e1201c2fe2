import { BareclipError } from '../errors.ts'

/** In bytes. */
const page = 65536
const largest = 65536 * page
/** Of every address that is given out: a cache line. */
export const alignment = 64

/** One WebAssembly memory: what is asked for at the bottom stays, what is above serves one pass after the other. */
export interface Heap {
  readonly memory: WebAssembly.Memory
  /** The address of `bytes` zeros that stay. Throws OUT_OF_MEMORY. */
  take(bytes: number, label: string): number
  /** Makes room for `bytes` above everything that stays; the address. Contents undefined. */
  reserve(bytes: number, label: string): number
  /** Held in all, in bytes. */
  readonly size: number
}

/** maximum: in bytes; address space, not memory, is set aside for it */
export function createHeap(shared: boolean, maximum = largest): Heap {
  const limit = Math.min(largest, Math.ceil(maximum / page) * page)
  const memory = new WebAssembly.Memory({ initial: 16, maximum: limit / page, shared })
  let top = 1024
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
  const aligned = (address: number) => Math.ceil(address / alignment) * alignment

  return {
    memory,
    take(bytes, label) {
      const start = aligned(top)
      grow(start + bytes, label)
      top = start + bytes
      if (dirty > start) new Uint8Array(memory.buffer, start, Math.min(dirty - start, bytes)).fill(0)
      return start
    },
    reserve(bytes, label) {
      const start = aligned(top)
      grow(start + bytes, label)
      dirty = Math.max(dirty, start + bytes)
      return start
    },
    get size() {
      return memory.buffer.byteLength
    },
  }
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}
