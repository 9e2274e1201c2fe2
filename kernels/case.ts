import type { RaggedBatch } from '../runtime/batch.ts'
import type { Device, RunOptions, Scope, WeightRole } from '../runtime/device.ts'
import { arrayOf, convert, type Dtype, type DtypeArray } from '../runtime/dtype.ts'
import { type Shape, sizeOf } from '../runtime/shape.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { DeviceBatch } from './attention/attention.ts'

/**
 * One use of an operation with awkward sizes or values. The specification compares every device with a float64 computation
 * on it; the benchmark times it. Nothing is made before `data` is called.
 */
export interface Case<Data = unknown> {
  readonly operation: string
  /** Unique within its operation. */
  readonly name: string
  readonly tolerance: Tolerance
  /** NaN or infinity goes in, so some may come out. */
  readonly nonFinite: boolean
  /** What the operation computes from, on the host: made anew at each call, the same values each time. */
  data(): Data
  /** Puts the weights of `data` on the device. */
  load(device: Device, data: Data): Promise<LoadedCase>
}

export interface LoadedCase {
  /** To be freed when the case is done. */
  readonly weights: readonly Tensor[]
  /** Makes inputs, records the one operation and marks its results as outputs of the scope. */
  record(scope: Scope): readonly Tensor[]
}

/** How far from the exact result a device may be: |got - want| ≤ error · largest |want| of the row, or of the tensor. */
export interface Tolerance {
  readonly error: number
  /** A row is the last axis. A tensor where rows are so short that one may cancel to almost nothing. */
  readonly per: 'row' | 'tensor'
  /** Why so much, and why no less. */
  readonly reason: string
}

/** Half a unit in the last place of a float32 at 1: what one rounding may cost. */
export const unitRoundoff = 2 ** -24

/** Below this a device may flush values to zero (WebGPU flushes subnormal numbers), so differences are measured against it. */
const smallestScale = 2 ** -100

/**
 * The normalised error of `got`, at its largest, and where; width: elements of a row. Infinity where one of the two is finite
 * and the other not, or the lengths differ.
 */
export function errorOf(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  width: number,
  per: Tolerance['per'],
): { error: number; at: number } {
  if (got.length !== want.length) return { error: Number.POSITIVE_INFINITY, at: Math.min(got.length, want.length) }
  const group = per === 'row' ? Math.max(1, width) : Math.max(1, want.length)
  let worst = { error: 0, at: 0 }
  for (let start = 0; start < want.length; start += group) {
    const end = Math.min(want.length, start + group)
    let scale = smallestScale
    for (let i = start; i < end; i++) if (Number.isFinite(want[i]!)) scale = Math.max(scale, Math.abs(want[i]!))
    for (let i = start; i < end; i++) {
      const finite = Number.isFinite(want[i]!)
      if (finite !== Number.isFinite(got[i]!)) return { error: Number.POSITIVE_INFINITY, at: i }
      const error = finite ? Math.abs(got[i]! - want[i]!) / scale : 0
      if (error > worst.error) worst = { error, at: i }
    }
  }
  return worst
}

/** Runs a case once: copies of its outputs. */
export async function runCase<Data>(
  device: Device,
  item: Pick<Case<Data>, 'load'>,
  data: Data,
  options?: RunOptions,
): Promise<DtypeArray[]> {
  const loaded = await item.load(device, data)
  const scope = device.scope()
  try {
    const outputs = loaded.record(scope)
    await device.run(scope, options)
    const values: DtypeArray[] = []
    for (const output of outputs) values.push(await device.read(output))
    return values
  } finally {
    scope.end()
    for (const weight of loaded.weights) device.free(weight)
  }
}

/** A weight's elements on the host. */
export interface HostWeight {
  readonly shape: Shape
  readonly dtype: Dtype
  readonly values: DtypeArray
}

/** Allocates and writes weights, and remembers them for `LoadedCase`. */
export function weightLoader(device: Device) {
  const weights: Tensor[] = []
  const put = async (label: string, role: WeightRole, { shape, dtype, values }: HostWeight): Promise<Tensor> => {
    const weight = device.allocate({ label, role, shape, dtype })
    weights.push(weight)
    await device.write(weight, dtype, values)
    return weight
  }
  return {
    weights,
    put,
    vector: (label: string, values: Float32Array) =>
      put(label, 'vector', { shape: [values.length], dtype: 'f32', values }),
  }
}

/** Random values, about normally distributed with this standard deviation, held in `dtype`. */
export function randomWeight(seed: string, shape: Shape, dtype: Dtype = 'f32', deviation = 1): HostWeight {
  const floats = randomValues(seed, sizeOf(shape), deviation)
  const values = arrayOf(dtype, floats.length)
  convert('f32', floats, dtype, values)
  return { shape, dtype, values }
}

/** The sum of four uniform numbers, shifted and scaled to mean 0 and the given standard deviation. */
export function randomValues(seed: string, length: number, deviation = 1): Float32Array {
  const next = randomSource(seed)
  const values = new Float32Array(length)
  for (let i = 0; i < length; i++) values[i] = (next() + next() + next() + next() - 2) * Math.sqrt(3) * deviation
  return values
}

/** Whole numbers from 0 to below `limit`. */
export function randomIndices(seed: string, length: number, limit: number): Int32Array {
  const next = randomSource(seed)
  return Int32Array.from({ length }, () => Math.floor(next() * limit))
}

/** Uniform in [0, 1): a Weyl sequence through the finaliser of MurmurHash3 (Austin Appleby), seeded by a name. */
function randomSource(seed: string): () => number {
  let state = 0
  for (let i = 0; i < seed.length; i++) state = (Math.imul(state, 31) + seed.charCodeAt(i)) | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let hash = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
  }
}

/** x: (rows, scales' length taken in turns) → each row times its scale, in float32 */
export function scaleRows(x: Float32Array, width: number, scales: readonly number[]): Float32Array {
  return x.map((value, i) => value * scales[Math.floor(i / width) % scales.length]!)
}

/** The values with some of them replaced. */
export function withValues(x: Float32Array, replaced: Readonly<Record<number, number>>): Float32Array {
  const changed = x.slice()
  for (const [index, value] of Object.entries(replaced)) changed[Number(index)] = value
  return changed
}

/** The batch's offsets and positions as inputs of the scope. */
export function batchInputs(scope: Scope, host: RaggedBatch): DeviceBatch {
  return {
    host,
    offsets: scope.input('offsets', 'i32', [host.sequences + 1], host.offsets),
    positions: scope.input('positions', 'i32', [host.tokens], host.positions),
  }
}
