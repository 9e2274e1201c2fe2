import { alignment } from '../arena.ts'
import { arrayOf, bytesPerElement, type DtypeArray } from '../dtype.ts'
import { BareclipError, invariant } from '../errors.ts'
import { sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { bufferUsage, mapRead } from './constants.ts'
import type { Place } from './places.ts'
import { mib } from './steps.ts'

/** The way back: one buffer that all outputs of a pass are copied into, mapped once. */
export interface Staging {
  /** Encodes the copies. Throws OUT_OF_MEMORY where the outputs together pass a limit. */
  encode(encoder: GPUCommandEncoder, outputs: readonly Tensor[], place: (tensor: Tensor) => Place): void
  /** Resolves when the device is done with all that was submitted before. */
  map(): Promise<void>
  /** After `map`, once: a copy of each output. */
  values(): ReadonlyMap<Tensor, DtypeArray>
  /** Held, in bytes. */
  readonly bytes: number
  /** The buffer goes, mapped or not. */
  discard(): void
}

export function createStaging(device: GPUDevice): Staging {
  let buffer: GPUBuffer | undefined
  let ranges: { tensor: Tensor; at: number; bytes: number }[] = []

  return {
    encode(encoder, outputs, place) {
      let total = 0
      const copies = outputs.map((tensor) => {
        const { buffer: source, offset } = place(tensor)
        const bytes = sizeOf(tensor.shape) * bytesPerElement[tensor.dtype]
        const start = Math.floor(offset / 4) * 4 // copies go by words
        const size = Math.ceil((offset + bytes) / 4) * 4 - start
        const at = total
        total += Math.ceil(size / alignment) * alignment
        return { source, start, size, at, range: { tensor, at: at + offset - start, bytes } }
      })
      const limit = device.limits.maxBufferSize
      if (total > limit) {
        throw new BareclipError(
          'OUT_OF_MEMORY',
          `no memory for outputs, ${mib(total)} together, past maxBufferSize of this graphics device, ${mib(limit)}: use a smaller batch`,
        )
      }
      if (!buffer || buffer.size < total) {
        buffer?.destroy()
        const usage = bufferUsage.mapRead | bufferUsage.copyTarget
        buffer = device.createBuffer({ label: 'staging', size: Math.max(total, alignment), usage })
      }
      for (const { source, start, size, at } of copies) {
        if (size > 0) encoder.copyBufferToBuffer(source, start, buffer, at, size)
      }
      ranges = copies.map(({ range }) => range)
    },
    async map() {
      invariant(buffer, 'outputs are copied before they are read')
      await buffer.mapAsync(mapRead)
    },
    values() {
      const values = new Map<Tensor, DtypeArray>()
      if (ranges.length === 0) return values
      invariant(buffer, 'outputs are mapped before they are read')
      const content = new Uint8Array(buffer.getMappedRange())
      for (const { tensor, at, bytes } of ranges) {
        const array = arrayOf(tensor.dtype, sizeOf(tensor.shape))
        new Uint8Array(array.buffer).set(content.subarray(at, at + bytes))
        values.set(tensor, array)
      }
      buffer.unmap()
      return values
    },
    get bytes() {
      return buffer?.size ?? 0
    },
    discard() {
      buffer?.destroy()
      buffer = undefined
    },
  }
}
