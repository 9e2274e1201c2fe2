import { type Lifetime, padded } from '../arena.ts'
import type { Storage } from '../tensor.ts'
import { bufferUsage } from './constants.ts'

/**
 * Which storages take turns in which buffer. Storages that a dispatch reads and writes are in buffers of their own: WebGPU
 * forbids one buffer to be read-only and writable in one dispatch, however far apart the ranges are.
 */
export interface SlotPlan {
  /** Index into `bytes`. */
  readonly slots: ReadonlyMap<Storage, number>
  /** Of each slot: multiples of the alignment. */
  readonly bytes: readonly number[]
}

/** lifetimes: in order of birth. Best fit: the smallest free slot that is large enough, else the largest, which grows. */
export function planSlots(lifetimes: readonly Lifetime[]): SlotPlan {
  const slots = new Map<Storage, number>()
  const bytes: number[] = []
  const free: number[] = []
  let alive: Lifetime[] = []
  for (const lifetime of lifetimes) {
    alive = alive.filter((other) => {
      if (other.last >= lifetime.first) return true
      free.push(slots.get(other.storage)!)
      return false
    })
    const needed = padded(lifetime.storage.bytes)
    free.sort((a, b) => bytes[a]! - bytes[b]! || a - b)
    const fitting = free.findIndex((slot) => bytes[slot]! >= needed)
    const [slot = bytes.length] = free.splice(fitting >= 0 ? fitting : -1, free.length > 0 ? 1 : 0)
    bytes[slot] = Math.max(bytes[slot] ?? 0, needed)
    slots.set(lifetime.storage, slot)
    alive.push(lifetime)
  }
  return { slots, bytes }
}

/** Buffers that serve the slots of one pass after the other. They only grow. */
export interface SlotPool {
  /** A buffer for each slot; `changed` where a buffer was made, so that what refers to old ones has to go. */
  fit(bytes: readonly number[]): { buffers: readonly GPUBuffer[]; changed: boolean }
  readonly bytes: number
  clear(): void
}

export function createSlotPool(device: GPUDevice): SlotPool {
  let pool: GPUBuffer[] = [] // largest first

  return {
    fit(bytes) {
      const order = bytes.map((_, slot) => slot).sort((a, b) => bytes[b]! - bytes[a]! || a - b)
      let changed = false
      order.forEach((slot, rank) => {
        const size = bytes[slot]!
        const old = pool[rank]
        if (old && old.size >= size) return
        old?.destroy() // what was submitted with it is not disturbed
        const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget
        pool[rank] = device.createBuffer({ label: `scratch ${rank}`, size, usage })
        changed = true
      })
      const buffers: GPUBuffer[] = []
      order.forEach((slot, rank) => {
        buffers[slot] = pool[rank]!
      })
      return { buffers, changed }
    },
    get bytes() {
      return pool.reduce((sum, { size }) => sum + size, 0)
    },
    clear() {
      for (const buffer of pool) buffer.destroy()
      pool = []
    },
  }
}
