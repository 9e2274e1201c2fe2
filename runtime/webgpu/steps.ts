import { type Lifetime, lifetimesOf } from '../arena.ts'
import type { Command } from '../device.ts'
import { bytesPerElement } from '../dtype.ts'
import { BareclipError, invariant } from '../errors.ts'
import type { Recording } from '../scope.ts'
import { sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Dispatch, ShaderBinding, WebgpuAccess, WebgpuTable } from './kernel.ts'

/** A dispatch of the pass and the command it belongs to. */
export interface Step {
  readonly command: Command
  readonly dispatch: Dispatch
  /** This step's share of the command's flops. */
  readonly flops: number
  /** Made before the dispatch: what it reads of storages that it also writes. */
  readonly copies: readonly { readonly from: Tensor; readonly to: Tensor }[]
}

export interface Steps {
  readonly steps: readonly Step[]
  /** Of all scratch, temporary tensors included; in order of birth. */
  readonly lifetimes: readonly Lifetime[]
}

export type Limits = Pick<WebgpuAccess, 'extensions' | 'limits' | 'dispatchFlops'>

/** Throws OUT_OF_MEMORY where a tensor passes a limit. */
export function stepsOf(recording: Recording, kernels: WebgpuTable, limits: Limits): Steps {
  const { commands, inputs, outputs } = recording
  const lifetimes = lifetimesOf(commands, [...inputs.keys()], [...outputs])
  for (const { operation, parameters } of commands) {
    for (const tensor of [...operation.reads(parameters), ...operation.writes(parameters)]) check(tensor, limits.limits)
  }
  for (const tensor of inputs.keys()) check(tensor, limits.limits)
  const steps = commands.flatMap((command, at) => {
    const temporary = (label: string, shape: Tensor['shape'], dtype: Tensor['dtype'] = 'f32'): Tensor => {
      const storage = { lifetime: 'scratch', bytes: sizeOf(shape) * bytesPerElement[dtype] } as const
      lifetimes.push({ storage, first: at, last: at })
      const tensor: Tensor = { label, dtype, shape, storage, offset: 0 }
      check(tensor, limits.limits)
      return tensor
    }
    const kernel = kernels[command.operation.name]
    invariant(kernel, `no webgpu kernel for ${command.operation.name}`)
    const dispatches = kernel(command.parameters as never, { ...limits, temporary })
    const shares = dispatches.reduce((sum, { flops = 1 }) => sum + flops, 0)
    const cost = command.operation.flops(command.parameters)
    return dispatches.map((dispatch) => ({
      command,
      flops: (cost * (dispatch.flops ?? 1)) / shares,
      ...separated(dispatch, temporary),
    }))
  })
  lifetimes.sort((a, b) => a.first - b.first)
  return { steps, lifetimes }
}

function check({ label, dtype, shape, storage }: Tensor, limits: GPUSupportedLimits): void {
  const refuse = (limit: 'maxBufferSize' | 'maxStorageBufferBindingSize', bytes: number) => {
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

/** The bindings of all files of a pipeline, in order of their numbers. */
export function bindingsOf({ pipeline }: Dispatch): ShaderBinding[] {
  return pipeline.files.flatMap(({ bindings }) => bindings).sort((a, b) => a.binding - b.binding)
}

/** The dispatch with copies in place of what it reads of storages that it writes. */
function separated(dispatch: Dispatch, temporary: WebgpuAccess['temporary']): Pick<Step, 'dispatch' | 'copies'> {
  const all = bindingsOf(dispatch)
  const written = new Set(
    all.filter(({ access }) => access === 'read_write').map(({ name }) => dispatch.bindings[name]?.storage),
  )
  const copies: { from: Tensor; to: Tensor }[] = []
  const replaced: Record<string, Tensor> = {}
  for (const { name, access } of all) {
    const from = dispatch.bindings[name]
    if (access !== 'read' || !from || !written.has(from.storage)) continue
    const to = temporary(`copy of ${from.label}`, from.shape, from.dtype)
    copies.push({ from, to })
    replaced[name] = to
  }
  if (copies.length === 0) return { dispatch, copies }
  return { dispatch: { ...dispatch, bindings: { ...dispatch.bindings, ...replaced } }, copies }
}
