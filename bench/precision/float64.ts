import { referenceKernels } from '../../kernels/reference.ts'
import type { Command, Device } from '../../runtime/device.ts'
import { arrayOf, bytesPerElement, convert, type DtypeArray } from '../../runtime/dtype.ts'
import { invariant } from '../../runtime/errors.ts'
import { createAccess } from '../../runtime/reference/access.ts'
import { runCommands } from '../../runtime/reference/device.ts'
import type { Access, ReferenceKernel, ReferenceTable } from '../../runtime/reference/kernel.ts'
import { createRecording, type Recording } from '../../runtime/scope.ts'
import { sizeOf } from '../../runtime/shape.ts'
import type { Storage, Tensor } from '../../runtime/tensor.ts'
import { createLinearFloat64 } from './linear.ts'

export interface Float64Device extends Device {
  /** As `read`, without rounding to float32. */
  values(tensor: Tensor): Float64Array
}

/**
 * The reference kernels with every activation held in float64: nothing is rounded to float32 between two operations. Weights
 * are as they are stored, inputs too, but for those that `exact` has by label: tables which the towers round to float32.
 * To compare with, not to be quick: each tensor of a pass is kept until the pass ends.
 */
export function createFloat64Device(exact: ReadonlyMap<string, Float64Array>): Float64Device {
  const kernels: ReferenceTable = { ...referenceKernels, linear: createLinearFloat64() }
  const held = new Map<Storage, DtypeArray>()
  let scratch = new Map<Storage, Float64Array>()
  let recording: Recording | undefined

  const weights = createAccess(({ storage, offset, dtype }) => {
    const elements = held.get(storage)
    invariant(elements, 'the tensor is no weight')
    return { buffer: elements.buffer, byteOffset: elements.byteOffset + offset * bytesPerElement[dtype] }
  })
  const wide = ({ storage, offset, shape }: Tensor): Float64Array => {
    const found = scratch.get(storage) ?? new Float64Array(storage.bytes / bytesPerElement.f32)
    scratch.set(storage, found)
    return found.subarray(offset, offset + sizeOf(shape))
  }
  const access: Access = {
    ...weights,
    // The kernels only index it and call `set` and `subarray`, which both kinds of array have.
    f32: (tensor) => (held.has(tensor.storage) ? weights.f32(tensor) : (wide(tensor) as unknown as Float32Array)),
  }
  const prepare = ({ operation, parameters }: Command) => {
    const kernel = kernels[operation.name] as ReferenceKernel<unknown>
    return kernel(parameters, access)
  }

  return {
    info: { device: 'reference', threads: 1, reason: 'to compare with', variants: { activations: 'float64' } },
    allocate({ label, shape, dtype }) {
      const elements = arrayOf(dtype, sizeOf(shape))
      const storage: Storage = { lifetime: 'weights', bytes: elements.byteLength }
      held.set(storage, elements)
      return { label, dtype, shape, storage, offset: 0 }
    },
    async write(weight, from, values, offset = 0) {
      const elements = held.get(weight.storage)!
      const start = weight.offset + offset
      convert(from, values, weight.dtype, elements.subarray(start, start + values.length))
    },
    free: ({ storage }) => void held.delete(storage),
    scope() {
      invariant(!recording, 'a scope is open already')
      const inputs = new Set<Storage>()
      recording = createRecording(() => {
        recording = undefined
        scratch = new Map()
        for (const storage of inputs) held.delete(storage)
      })
      const made = recording
      return {
        ...made,
        commands: made.commands,
        input(label, dtype, shape, values) {
          const tensor = made.input(label, dtype, shape, values)
          const wider = exact.get(label)
          if (wider) {
            invariant(wider.length === values.length, `${label}: ${wider.length} values, expected ${values.length}`)
            scratch.set(tensor.storage, wider)
            return tensor
          }
          held.set(tensor.storage, values)
          inputs.add(tensor.storage)
          return tensor
        },
      }
    },
    async run({ commands }, options = {}) {
      await runCommands(commands, prepare, () => {}, options)
    },
    values: wide,
    read: async (tensor) => Float32Array.from(wide(tensor)),
    memory: () => ({ weights: 0, scratch: 0, peak: 0 }),
    dispose: () => held.clear(),
  }
}
