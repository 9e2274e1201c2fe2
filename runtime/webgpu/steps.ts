import { type Lifetime, lifetimesOf } from '../arena.ts'
import type { Command } from '../device.ts'
import { bytesPerElement } from '../dtype.ts'
import { BareclipError, invariant } from '../errors.ts'
import type { Recording } from '../scope.ts'
import { sizeOf } from '../shape.ts'
import type { Storage, Tensor } from '../tensor.ts'
import type { Dispatch, WebgpuAccess, WebgpuTable } from './kernel.ts'

/** A dispatch of the pass and the command it belongs to. */
export interface Step {
  readonly command: Command
  readonly dispatch: Dispatch
  /** This step's share of the command's flops. */
  readonly flops: number
  /** Made before the dispatch: what it reads of storages that it also writes. */
  readonly copies: readonly { readonly from: Tensor; readonly to: Tensor }[]
}

/** A recording as dispatches. */
export interface Lowering {
  /** Of the commands from this one on. Which temporary tensors there are does not depend on `dispatchFlops`. */
  steps(from: number, limits: Limits): readonly Step[]
  /** Of all scratch, in order of birth; complete, temporary tensors included, after `steps(0, …)`. */
  readonly lifetimes: readonly Lifetime[]
}

export type Limits = Pick<WebgpuAccess, 'extensions' | 'traits' | 'limits' | 'dispatchFlops'>

/** Throws OUT_OF_MEMORY where a tensor passes a limit. */
export function lower(recording: Recording, kernels: WebgpuTable, given: GPUSupportedLimits): Lowering {
  const { commands, inputs, outputs } = recording
  const limits = sizesOf(given)
  const lifetimes = lifetimesOf(commands, [...inputs.keys()], [...outputs])
  const scratch = new Map<string, Tensor>()
  for (const { operation, parameters } of commands) {
    for (const tensor of [...operation.reads(parameters), ...operation.writes(parameters)]) check(tensor, limits)
  }
  for (const tensor of inputs.keys()) check(tensor, limits)

  const stepsOf = (command: Command, at: number, access: Limits): Step[] => {
    const temporary = (label: string, shape: Tensor['shape'], dtype: Tensor['dtype'] = 'f32'): Tensor => {
      const key = `${at} ${label} ${dtype} ${shape}`
      const known = scratch.get(key)
      if (known) return known
      const storage = { lifetime: 'scratch', bytes: sizeOf(shape) * bytesPerElement[dtype] } as const
      const tensor: Tensor = { label, dtype, shape, storage, offset: 0 }
      check(tensor, limits)
      lifetimes.push({ storage, first: at, last: at })
      scratch.set(key, tensor)
      return tensor
    }
    const { operation, parameters } = command
    const kernel = kernels[operation.name]
    invariant(kernel, `no webgpu kernel for ${operation.name}`)
    const dispatches = kernel(parameters as never, { ...access, temporary })
    const shares = dispatches.reduce((sum, { flops = 1 }) => sum + flops, 0)
    const cost = operation.flops(parameters)
    return dispatches.map((dispatch) => ({
      command,
      flops: (cost * (dispatch.flops ?? 1)) / shares,
      ...separated(dispatch, temporary),
    }))
  }

  return {
    steps(from, access) {
      const before = lifetimes.length
      const steps = commands.slice(from).flatMap((command, i) => stepsOf(command, from + i, access))
      invariant(from === 0 || lifetimes.length === before, 'a kernel has other temporary tensors than before')
      lifetimes.sort((a, b) => a.first - b.first)
      return steps
    },
    lifetimes,
  }
}

/** Limits of a buffer's size: copied, since asking the device itself takes a while. */
type Sizes = Pick<GPUSupportedLimits, 'maxBufferSize' | 'maxStorageBufferBindingSize'>

function sizesOf({ maxBufferSize, maxStorageBufferBindingSize }: Sizes): Sizes {
  return { maxBufferSize, maxStorageBufferBindingSize }
}

function check({ label, dtype, shape, storage }: Tensor, limits: Sizes): void {
  if (storage.lifetime === 'weights') return // `allocateWeight` has looked
  const refuse = (limit: keyof Sizes, bytes: number) => {
    if (bytes <= limits[limit]) return
    throw new BareclipError(
      'OUT_OF_MEMORY',
      `no memory for ${label}, ${mib(bytes)} in one piece, past ${limit} of this graphics device, ${mib(limits[limit])}: use a smaller batch or text`,
    )
  }
  refuse('maxBufferSize', storage.bytes)
  refuse('maxStorageBufferBindingSize', sizeOf(shape) * bytesPerElement[dtype])
}

/** In MiB, for a message. */
export function mib(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`
}

/** The dispatch with copies in place of what it reads of storages that it writes. */
function separated(dispatch: Dispatch, temporary: WebgpuAccess['temporary']): Pick<Step, 'dispatch' | 'copies'> {
  const { pipeline, bindings } = dispatch
  const written = new Set<Storage>()
  for (const file of pipeline.files) {
    for (const { name, access } of file.bindings) {
      const tensor = bindings[name]
      if (access === 'read_write' && tensor) written.add(tensor.storage)
    }
  }
  const copies: { from: Tensor; to: Tensor }[] = []
  const replaced: Record<string, Tensor> = {}
  for (const file of pipeline.files) {
    for (const { name, access } of file.bindings) {
      const from = bindings[name]
      if (access !== 'read' || !from || !written.has(from.storage)) continue
      const to = temporary(`copy of ${name}`, from.shape, from.dtype) // the next dispatch may use it again
      copies.push({ from, to })
      replaced[name] = to
    }
  }
  if (copies.length === 0) return { dispatch, copies }
  return { dispatch: { ...dispatch, bindings: { ...bindings, ...replaced } }, copies }
}
