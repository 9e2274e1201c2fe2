import type { Command } from './device.ts'
import { invariant } from './errors.ts'
import { Holes } from './holes.ts'
import type { Storage, Tensor } from './tensor.ts'

/** Where each scratch storage stands in one block of memory. */
export interface ArenaPlan {
  /** In bytes, multiples of `alignment`. */
  readonly offsets: ReadonlyMap<Storage, number>
  readonly bytes: number
}

/** The first and the last command that name a storage; -1 for inputs, the number of commands for outputs. */
export interface Lifetime {
  readonly storage: Storage
  readonly first: number
  last: number
}

/** WebGPU's default minStorageBufferOffsetAlignment, and a multiple of every cache line. */
export const alignment = 256

/**
 * Gives every scratch storage a place such that two that are alive at the same command never overlap. A storage lives from
 * the first command that names it to the last; inputs from the start, outputs to the end. First fit in order of birth.
 */
export function planArena(
  commands: readonly Command[],
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): ArenaPlan {
  const lifetimes = lifetimesOf(commands, inputs, outputs)
  const dying = new Map<number, Lifetime[]>()
  const offsets = new Map<Storage, number>()
  const holes = new Holes()
  let cursor = -1
  for (const lifetime of lifetimes) {
    for (; cursor < lifetime.first; cursor++) {
      for (const { storage } of dying.get(cursor) ?? []) holes.free(offsets.get(storage)!, padded(storage.bytes))
    }
    offsets.set(lifetime.storage, holes.take(padded(lifetime.storage.bytes)))
    dying.set(lifetime.last, [...(dying.get(lifetime.last) ?? []), lifetime])
  }
  return { offsets, bytes: holes.end }
}

/** bytes, rounded up to whole steps of `alignment`, one at least */
export function padded(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / alignment)) * alignment
}

/** In order of birth. Weights are not scratch and have no lifetime here. */
export function lifetimesOf(
  commands: readonly Command[],
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
): Lifetime[] {
  const lifetimes = new Map<Storage, Lifetime>()
  const touch = ({ storage, label }: Tensor, at: number, mayBeBorn: boolean) => {
    if (storage.lifetime === 'weights') return
    const known = lifetimes.get(storage)
    if (known) known.last = Math.max(known.last, at)
    else {
      invariant(mayBeBorn, `${label} is read before anything is written to it`)
      lifetimes.set(storage, { storage, first: at, last: at })
    }
  }
  for (const tensor of inputs) touch(tensor, -1, true)
  commands.forEach(({ operation, parameters }, at) => {
    for (const tensor of operation.reads(parameters)) touch(tensor, at, false)
    for (const tensor of operation.writes(parameters)) touch(tensor, at, true)
  })
  for (const tensor of outputs) touch(tensor, commands.length, false)
  return [...lifetimes.values()]
}
