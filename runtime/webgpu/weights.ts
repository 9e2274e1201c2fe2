import type { WeightRole, WeightSpec } from '../device.ts'
import { arrayOf, bytesPerElement, convert, type Dtype, type DtypeArray } from '../dtype.ts'
import { BareclipError, invariant } from '../errors.ts'
import { sizeOf } from '../shape.ts'
import type { Storage, Tensor } from '../tensor.ts'
import { bufferUsage } from './constants.ts'
import { scoped, settle, type Verdict } from './guard.ts'
import { partRows, rowStride } from './kernel.ts'
import { mib } from './steps.ts'

/** What is converted and handed over at once. */
const chunkBytes = 4 * 2 ** 20

/** Handed over and not yet on the device: the driver holds copies of it. */
const pendingBytes = 32 * 2 ** 20

export interface WeightStorage extends Storage {
  /** One, but for a table that passes a limit: then each has `rows` of it, the last one the rest. */
  readonly buffers: readonly GPUBuffer[]
  readonly rows: number
  readonly role: WeightRole
  readonly verdict: Verdict
}

/**
 * A buffer for one weight. Matrices and tables keep their rows, each padded with zeros to a whole number of vectors of four
 * elements (`rowStride`); vectors are as they are. Tables may be in several parts (`partRows`). Throws OUT_OF_MEMORY for what
 * passes a limit; for what the device has no memory for, `settleWeight` does.
 */
export function allocateWeight(device: GPUDevice, { label, role, shape, dtype }: WeightSpec): WeightStorage {
  invariant(role !== 'vector' || dtype === 'f32', `${label}: vectors are f32`)
  const vector = role === 'vector'
  const all = vector ? 1 : (shape[0] ?? 0)
  const width = sizeOf(vector ? shape : shape.slice(1))
  const rows = role === 'table' ? partRows(all, width, dtype, device.limits) : all
  const bytesOfRows = (count: number) =>
    Math.max(16, Math.ceil((count * (vector ? width : rowStride(width)) * bytesPerElement[dtype]) / 16) * 16)
  const bytes = bytesOfRows(rows)
  for (const limit of ['maxBufferSize', 'maxStorageBufferBindingSize'] as const) {
    if (bytes <= device.limits[limit]) continue
    throw new BareclipError(
      'OUT_OF_MEMORY',
      `no memory for ${label}, ${mib(bytes)} in one piece, past ${limit} of this graphics device, ${mib(device.limits[limit])}: use a smaller dtype or device wasm`,
    )
  }
  const usage = bufferUsage.storage | bufferUsage.copyTarget | bufferUsage.copySource
  const sizes: number[] = []
  for (let row = 0; row < all || row === 0; row += Math.max(1, rows)) sizes.push(bytesOfRows(Math.min(rows, all - row)))
  const { result: buffers, verdict } = scoped(device, () =>
    sizes.map((size) => device.createBuffer({ label, size, usage })),
  )
  const total = sizes.reduce((sum, size) => sum + size, 0)
  return { lifetime: 'weights', bytes: total, buffers, rows: Math.max(1, rows), role, verdict }
}

/** Throws OUT_OF_MEMORY. */
export function settleWeight({ verdict }: WeightStorage, label: string): Promise<void> {
  return settle(verdict, label)
}

/** Bytes that were handed over since the device last said that it was done. */
export interface Upload {
  pending: number
}

/** `values` (elements of dtype `from`) from element `start` on; whole rows of a matrix or table. */
export async function writeWeight(
  device: GPUDevice,
  weight: Tensor,
  from: Dtype,
  values: DtypeArray,
  start: number,
  upload: Upload,
): Promise<void> {
  const { buffers, rows: perPart, role } = weight.storage as WeightStorage
  invariant(start + values.length <= sizeOf(weight.shape), `more values than ${weight.label} has`)
  if (values.length === 0) return
  const width = role === 'vector' ? 1 : sizeOf(weight.shape.slice(1))
  const stride = role === 'vector' ? 1 : rowStride(width)
  invariant(start % width === 0 && values.length % width === 0, `${weight.label} is written in whole rows`)
  const size = bytesPerElement[weight.dtype]
  const rows = values.length / width
  const most = Math.max(1, Math.floor(chunkBytes / (stride * size)))
  for (let row = 0, end = 0; row < rows; row = end) {
    const target = start / width + row
    const part = role === 'vector' ? 0 : Math.floor(target / perPart)
    const left = role === 'vector' ? rows : (part + 1) * perPart - target // of this part
    end = Math.min(rows, row + most, row + left)
    const bytes = bytesOf(padded(from, values.subarray(row * width, end * width), weight.dtype, width, stride))
    device.queue.writeBuffer(buffers[part]!, (target - (role === 'vector' ? 0 : part * perPart)) * stride * size, bytes)
    upload.pending += bytes.byteLength
    if (upload.pending < pendingBytes) continue
    upload.pending = 0
    await device.queue.onSubmittedWorkDone()
  }
}

/** Rows as elements of `to`, `stride` apart: themselves where nothing changes. */
function padded(from: Dtype, values: DtypeArray, to: Dtype, width: number, stride: number): DtypeArray {
  if (from === to && width === stride) return values
  const rows = values.length / width
  const target = arrayOf(to, rows * stride)
  if (width === stride) convert(from, values, to, target)
  else {
    for (let row = 0; row < rows; row++) {
      const place = target.subarray(row * stride, row * stride + width)
      convert(from, values.subarray(row * width, (row + 1) * width), to, place)
    }
  }
  return target
}

/**
 * As writeBuffer takes it everywhere: unshared bytes, a multiple of four of them (Dawn in Node fails on shared memory and on
 * some kinds of views).
 */
export function bytesOf(values: DtypeArray): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = values
  if (buffer instanceof ArrayBuffer && byteLength % 4 === 0) return new Uint8Array(buffer, byteOffset, byteLength)
  const copy = new Uint8Array(Math.ceil(byteLength / 4) * 4)
  copy.set(new Uint8Array(buffer, byteOffset, byteLength))
  return copy
}
