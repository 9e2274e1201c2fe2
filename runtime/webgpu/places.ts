import { bytesPerElement } from '../dtype.ts'
import { invariant } from '../errors.ts'
import { sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { bufferUsage, uniformStride } from './constants.ts'
import type { Dispatch, ShaderUniform } from './kernel.ts'
import type { Pipeline } from './pipelines.ts'
import type { SlotPlan } from './slots.ts'
import type { WeightStorage } from './weights.ts'

/** A range of a buffer, in bytes. */
export interface Place {
  readonly buffer: GPUBuffer
  readonly offset: number
  /** A multiple of 16: slots and weights are. */
  readonly size: number
}

/** Where a tensor is while a pass runs; of a table in several parts, this part. */
export function placeOf(tensor: Tensor, plan: SlotPlan, buffers: readonly GPUBuffer[], part = 0): Place {
  const { storage, label, dtype, shape } = tensor
  const offset = tensor.offset * bytesPerElement[dtype]
  if (storage.lifetime === 'weights') {
    const buffer = (storage as WeightStorage).buffers[part]
    if (offset !== 0 || !buffer) invariant(false, `${label} is part of a weight, or has no part ${part}`)
    return { buffer, offset: 0, size: buffer.size }
  }
  const slot = plan.slots.get(storage)
  const buffer = slot === undefined ? undefined : buffers[slot]
  if (!buffer) invariant(false, `${label} belongs to no running pass`)
  const bytes = Math.max(1, sizeOf(shape) * bytesPerElement[dtype])
  return { buffer, offset, size: Math.min(Math.ceil(bytes / 16) * 16, buffer.size - offset) }
}

/** Bind groups of group 0, made once for each combination of ranges. */
export interface BindGroups {
  get(pipeline: Pipeline, dispatch: Dispatch, place: (tensor: Tensor, part?: number) => Place): GPUBindGroup
  /** Whenever a buffer goes. */
  clear(): void
  /** At the end: the buffer of zeros goes too. */
  dispose(): void
}

/** Many passes of different shapes could fill the cache. */
const mostGroups = 4096

export function createBindGroups(device: GPUDevice): BindGroups {
  const groups = new Map<string, GPUBindGroup>()
  const numbers = new WeakMap<GPUBuffer, number>()
  const alignment = device.limits.minStorageBufferOffsetAlignment
  let last = 0
  let zeros: GPUBuffer | undefined

  const numberOf = (buffer: GPUBuffer) => {
    const known = numbers.get(buffer)
    if (known !== undefined) return known
    numbers.set(buffer, ++last)
    return last
  }

  return {
    get({ key, bindings, layout, layoutKey }, dispatch, place) {
      let name = layoutKey
      const places = bindings.map((binding) => {
        const tensor = dispatch.bindings[binding.name]
        if (!tensor && (binding.access !== 'read' || !(binding.name in dispatch.bindings))) {
          invariant(false, `${key}: nothing is bound to ${binding.name}`)
        }
        zeros ??= device.createBuffer({ label: 'zeros', size: uniformStride, usage: bufferUsage.storage })
        const found = tensor
          ? place(tensor, dispatch.parts?.[binding.name])
          : { buffer: zeros, offset: 0, size: uniformStride }
        if (found.offset % alignment !== 0) {
          invariant(false, `${key}: ${tensor?.label} starts at byte ${found.offset}: take a multiple of 64 rows`)
        }
        name += `|${numberOf(found.buffer)} ${found.offset} ${found.size}`
        return found
      })
      let group = groups.get(name)
      if (!group) {
        if (groups.size >= mostGroups) groups.clear()
        const entries = bindings.map(({ binding }, i) => ({ binding, resource: places[i]! }))
        group = device.createBindGroup({ label: key, layout, entries })
        groups.set(name, group)
      }
      return group
    },
    clear: () => groups.clear(),
    dispose() {
      groups.clear()
      zeros?.destroy()
    },
  }
}

/** Writes a dispatch's uniforms as its shader declares them; words: from their place on, one view of each kind. */
export function writeUniforms(
  uniforms: readonly ShaderUniform[],
  values: Readonly<Record<string, number>>,
  words: DataView,
  offset: number,
  key: string,
): void {
  invariant(uniforms.length * 4 <= uniformStride, `${key} has more than ${uniformStride / 4} parameters`)
  uniforms.forEach(({ name, type }, i) => {
    const value = values[name]
    if (value === undefined) invariant(false, `${key}: no value for ${name}`)
    if (type === 'f32') words.setFloat32(offset + 4 * i, value, true)
    else {
      const [low, high] = type === 'u32' ? [0, 2 ** 32] : [-(2 ** 31), 2 ** 31]
      const fits = Number.isInteger(value) && value >= low && value < high
      if (!fits) invariant(false, `${key}: ${name} is ${value}, no ${type}`)
      words.setUint32(offset + 4 * i, value, true)
    }
  })
}
