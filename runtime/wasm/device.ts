import { type ArenaPlan, planArena } from '../arena.ts'
import type { Command, Device, RunOptions, WeightRole, WeightSpec } from '../device.ts'
import { bytesPerElement, convert, type Dtype, type DtypeArray, toF32, typedView } from '../dtype.ts'
import { BareclipError, invariant } from '../errors.ts'
import { createRecording, type Recording } from '../scope.ts'
import { sizeOf } from '../shape.ts'
import type { Storage, Tensor } from '../tensor.ts'
import { alignment, createHeap } from './heap.ts'
import type { PassStep, WasmAccess, WasmTable } from './kernel.ts'
import type { WasmModule } from './module.ts'
import { packedSize, packRows } from './panels.ts'
import { createRunner } from './runner.ts'
import { type TileChoice, tileChoice } from './tile-choice.ts'

interface Weight extends Storage {
  readonly address: number
  readonly role: WeightRole
}

interface Pass {
  readonly recording: Recording
  plan: ArenaPlan | undefined
  base: number
}

export interface WasmOptions {
  readonly module: WasmModule
  /** 1: the caller's thread, in slices; more need a module with shared memory. */
  readonly threads: number
  /** A browser user's worker factory. */
  readonly workers?: (() => Worker) | undefined
  readonly reason: string
  readonly variants: Readonly<Record<string, string>>
  /** Largest memory, in bytes. Default: 4 GiB. */
  readonly maximum?: number
  /** The shape of the register tiles. Default: what is measured to be fastest. */
  readonly tile?: TileChoice
}

/** SIMD WebAssembly over one memory per device, on one thread or several. */
export async function createWasmDevice(kernels: WasmTable, options: WasmOptions): Promise<Device> {
  const { module, threads, workers, reason, variants, maximum } = options
  const heap = createHeap(module.shared, maximum)
  const tile = options.tile ?? tileChoice(module)
  const runner = await createRunner(module, heap, { threads, workers, tile })
  const shown = { module: module.form, linear: tile.name, ...variants }
  const look = () => {
    tile.look()
    shown.linear = tile.name
  }
  const weights = new Set<Storage>()
  let weightBytes = 0
  let scratchBytes = 0
  let peak = 0
  let pass: Pass | undefined
  let disposed = false

  const live = () => {
    if (disposed) throw new BareclipError('DISPOSED', 'this model was disposed: load it again')
  }
  const addressOf = (tensor: Tensor): number => {
    const offset = tensor.offset * bytesPerElement[tensor.dtype]
    if (tensor.storage.lifetime === 'weights') return (tensor.storage as Weight).address + offset
    const start = pass?.plan?.offsets.get(tensor.storage)
    invariant(pass && start !== undefined, `${tensor.label} belongs to no running pass`)
    return pass.base + start + offset
  }
  const view = (dtype: Dtype, address: number, length: number) => typedView(dtype, heap.memory.buffer, address, length)

  return {
    info: { device: 'wasm', threads, reason, variants: shown },

    allocate({ label, role, shape, dtype }: WeightSpec) {
      live()
      invariant(!pass, `${label} is allocated while a scope is open`)
      invariant(role !== 'vector' || dtype === 'f32', `${label}: vectors are f32`)
      const [rows = 0, width = 0] = shape
      const bytes = bytesPerElement[dtype] * (role === 'matrix' ? packedSize(rows, width) : sizeOf(shape))
      const storage: Weight = { lifetime: 'weights', bytes, role, address: heap.take(bytes, label) }
      weights.add(storage)
      weightBytes += bytes
      peak = Math.max(peak, weightBytes + scratchBytes)
      return { label, dtype, shape, storage, offset: 0 }
    },

    async write(weight, from, values, offset = 0) {
      live()
      invariant(weights.has(weight.storage), `${weight.label} is no weight of this device`)
      look()
      const { role, address, bytes } = weight.storage as Weight
      const start = weight.offset + offset
      invariant(start + values.length <= sizeOf(weight.shape), `more values than ${weight.label} has`)
      if (role === 'matrix') {
        const width = weight.shape[1] ?? 0
        invariant(start % width === 0 && values.length % width === 0, `${weight.label} is written in whole rows`)
        const panels = view(weight.dtype, address, bytes / bytesPerElement[weight.dtype])
        packRows(converted(from, values, weight.dtype), width, start / width, panels)
      } else {
        convert(
          from,
          values,
          weight.dtype,
          view(weight.dtype, address + start * bytesPerElement[weight.dtype], values.length),
        )
      }
    },

    free(weight) {
      // The place is not used again: weights go with the device.
      if (weights.delete(weight.storage)) weightBytes -= weight.storage.bytes
    },

    scope() {
      live()
      invariant(!pass, 'a scope is open already')
      const recording = createRecording(() => {
        pass = undefined
      })
      pass = { recording, plan: undefined, base: 0 }
      return recording
    },

    async run(scope, runOptions: RunOptions = {}) {
      live()
      const current = pass
      invariant(current && current.recording === scope, 'the scope is not the open one')
      runOptions.signal?.throwIfAborted()
      look()
      const { commands, inputs, outputs } = current.recording
      current.plan = planArena(commands, [...inputs.keys()], [...outputs])
      current.base = heap.reserve(current.plan.bytes, 'scratch')
      const { steps, temporary } = stepsOf(commands, kernels, addressOf, current.base + current.plan.bytes)
      const program = runner.bytes(steps)
      const end = heap.reserve(current.plan.bytes + temporary + program + 2 * alignment, 'scratch')
      invariant(end === current.base, 'the arena stays where it is within a pass')
      scratchBytes = Math.max(scratchBytes, current.plan.bytes + temporary + program)
      peak = Math.max(peak, weightBytes + scratchBytes)
      for (const [tensor, values] of inputs) view(tensor.dtype, addressOf(tensor), values.length).set(values)
      const at = Math.ceil((current.base + current.plan.bytes + temporary) / alignment) * alignment
      await runner.run(steps, at, live, runOptions)
    },

    async read(tensor) {
      live()
      invariant(pass?.recording.outputs.has(tensor), `${tensor.label} is no output of the open scope`)
      return view(tensor.dtype, addressOf(tensor), sizeOf(tensor.shape)).slice()
    },

    memory: () => ({ weights: weightBytes, scratch: scratchBytes, peak: Math.max(peak, weightBytes + scratchBytes) }),

    dispose() {
      disposed = true
      weights.clear()
      weightBytes = scratchBytes = 0
      pass = undefined
      runner.dispose()
    },
  }
}

/** temporary: bytes above `base` that the commands share, one after the other */
function stepsOf(
  commands: readonly Command[],
  kernels: WasmTable,
  address: (tensor: Tensor) => number,
  base: number,
): { steps: PassStep[]; temporary: number } {
  let temporary = 0
  const steps = commands.flatMap((command) => {
    let top = base
    const access: WasmAccess = {
      address,
      temporary(bytes) {
        const start = Math.ceil(top / alignment) * alignment
        top = start + bytes
        return start
      },
    }
    const kernel = kernels[command.operation.name]
    invariant(kernel, `no wasm kernel for ${command.operation.name}`)
    const made = kernel(command.parameters as never, access)
    temporary = Math.max(temporary, top - base)
    const flops = command.operation.flops(command.parameters) / made.length
    return made.map((step) => ({ ...step, command, flops }))
  })
  return { steps, temporary }
}

/** values as elements of `to`: themselves where nothing changes */
function converted(from: Dtype, values: DtypeArray, to: Dtype): DtypeArray {
  if (from === to) return values
  if (to === 'f32') return toF32(from, values)
  const target = new Uint16Array(values.length)
  convert(from, values, to, target)
  return target
}
