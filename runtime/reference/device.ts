import { type ArenaPlan, planArena } from '../arena.ts'
import type { Command, Device, RunOptions, Scope, WeightSpec } from '../device.ts'
import { arrayOf, bytesPerElement, convert, type DtypeArray } from '../dtype.ts'
import { BareclipError, invariant } from '../errors.ts'
import { macrotask } from '../macrotask.ts'
import { createRecording, type Recording } from '../scope.ts'
import { sizeOf } from '../shape.ts'
import type { Storage, Tensor } from '../tensor.ts'
import { createAccess } from './access.ts'
import type { ReferenceKernel, ReferenceTable, Work } from './kernel.ts'

/** Longest time on the caller's thread between two macrotasks, in milliseconds. */
const sliceMs = 20

interface Weight extends Storage {
  readonly elements: DtypeArray
}

interface Pass {
  readonly recording: Recording
  plan: ArenaPlan | undefined
}

/** Typed arrays, one thread, float64 sums: the specification, and the device that always works. */
export function createReferenceDevice(kernels: ReferenceTable, reason = 'asked for'): Device {
  const weights = new Set<Storage>()
  let arena = new ArrayBuffer(0)
  let pass: Pass | undefined
  let weightBytes = 0
  let peak = 0
  let disposed = false

  const live = () => {
    if (disposed) throw new BareclipError('DISPOSED', 'this model was disposed: load it again')
  }
  const track = () => {
    peak = Math.max(peak, weightBytes + arena.byteLength)
  }

  const locate = (tensor: Tensor): { buffer: ArrayBufferLike; byteOffset: number } => {
    const bytes = tensor.offset * bytesPerElement[tensor.dtype]
    if (tensor.storage.lifetime === 'weights') {
      const { elements } = tensor.storage as Weight
      return { buffer: elements.buffer, byteOffset: elements.byteOffset + bytes }
    }
    const start = pass?.plan?.offsets.get(tensor.storage)
    invariant(start !== undefined, `${tensor.label} belongs to no running pass`)
    return { buffer: arena, byteOffset: start + bytes }
  }
  const access = createAccess(locate)

  return {
    info: { device: 'reference', threads: 1, reason, variants: {} },

    allocate({ label, role, shape, dtype }: WeightSpec) {
      live()
      invariant(role !== 'vector' || dtype === 'f32', `${label}: vectors are f32`)
      const elements = guarded(label, () => arrayOf(dtype, sizeOf(shape)))
      const storage: Weight = { lifetime: 'weights', bytes: elements.byteLength, elements }
      weights.add(storage)
      weightBytes += storage.bytes
      track()
      return { label, dtype, shape, storage, offset: 0 }
    },

    async write(weight, from, values, offset = 0) {
      live()
      const { elements } = weight.storage as Weight
      invariant(weights.has(weight.storage), `${weight.label} is no weight of this device`)
      const start = weight.offset + offset
      convert(from, values, weight.dtype, elements.subarray(start, start + values.length))
    },

    free(weight) {
      if (weights.delete(weight.storage)) weightBytes -= weight.storage.bytes
    },

    scope() {
      live()
      invariant(!pass, 'a scope is open already')
      const recording = createRecording(() => {
        pass = undefined
      })
      pass = { recording, plan: undefined }
      return recording
    },

    async run(scope, options = {}) {
      live()
      const current = pass
      invariant(current && current.recording === scope, 'the scope is not the open one')
      const { commands, inputs, outputs } = current.recording
      const plan = planArena(commands, [...inputs.keys()], [...outputs])
      if (plan.bytes > arena.byteLength) {
        arena = new ArrayBuffer(0) // let the old block go before a larger one comes
        arena = guarded('scratch', () => new ArrayBuffer(plan.bytes))
        track()
      }
      current.plan = plan
      for (const [tensor, values] of inputs) access.any(tensor).set(values)
      const prepare = (command: Command) => kernelOf(kernels, command)(command.parameters as never, access)
      await runCommands(commands, prepare, live, options)
    },

    async read(tensor) {
      live()
      invariant(pass?.recording.outputs.has(tensor), `${tensor.label} is no output of the open scope`)
      return access.any(tensor).slice()
    },

    memory: () => ({ weights: weightBytes, scratch: arena.byteLength, peak }),

    dispose() {
      disposed = true
      weights.clear()
      weightBytes = 0
      arena = new ArrayBuffer(0)
      pass = undefined
    },
  }
}

function kernelOf(kernels: ReferenceTable, { operation }: Command): ReferenceKernel<never> {
  const kernel = kernels[operation.name]
  invariant(kernel, `no reference kernel for ${operation.name}`)
  return kernel
}

/** Slices of at most `sliceMs`, then a macrotask, with the signal checked in between. */
export async function runCommands(
  commands: Scope['commands'],
  prepare: (command: Command) => Work,
  live: () => void,
  { signal, onProgress, onCommand }: RunOptions,
): Promise<void> {
  signal?.throwIfAborted()
  const costs = commands.map(({ operation, parameters }) => operation.flops(parameters))
  const total = costs.reduce((sum, cost) => sum + cost, 0)
  let done = 0
  let slice = performance.now()
  for (const [index, command] of commands.entries()) {
    const cost = costs[index] ?? 0
    const work = prepare(command)
    let started = performance.now()
    let busy = 0
    let step = 1
    for (let unit = 0; unit < work.units; ) {
      const next = Math.min(work.units, unit + step)
      const before = performance.now()
      work.run(unit, next)
      const now = performance.now()
      unit = next
      if (now - before < sliceMs / 8) step *= 2
      else if (now - before > sliceMs / 2) step = Math.max(1, step >> 1)
      if (now - slice >= sliceMs / 2) {
        onProgress?.(done + (cost * unit) / work.units, total)
        busy += now - started
        await macrotask()
        live()
        signal?.throwIfAborted()
        started = slice = performance.now()
      }
    }
    done += cost
    onCommand?.(command, busy + performance.now() - started)
  }
  onProgress?.(total, total)
}

function guarded<T>(label: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    throw new BareclipError('OUT_OF_MEMORY', `no memory for ${label}: use a smaller dtype, batch or text`, { cause })
  }
}
