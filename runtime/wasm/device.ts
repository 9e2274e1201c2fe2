import { type ArenaPlan, planArena } from '../arena.ts'
import type { Command, Device, RunOptions, WeightRole, WeightSpec } from '../device.ts'
import { bytesPerElement, type Dtype, typedView } from '../dtype.ts'
import { BareclipError, invariant } from '../errors.ts'
import { createRecording, type Recording } from '../scope.ts'
import { sizeOf } from '../shape.ts'
import type { Storage, Tensor } from '../tensor.ts'
import { alignment, createHeap, type Heap, type MemoryPlan } from './heap.ts'
import type { PassStep, WasmAccess, WasmTable } from './kernel.ts'
import type { WasmModule } from './module.ts'
import { weightBytes } from './panels.ts'
import { createRunner, type Runner, threadScratch } from './runner.ts'
import { type TileChoice, tileChoice } from './tile-choice.ts'
import { createWriter, type Writer } from './writer.ts'

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
  /** What the device will hold, if that is known: an engine that refuses `maximum` is asked for that. */
  readonly plan?: MemoryPlan | undefined
  /** The shape of the register tiles. Default: what is measured to be fastest. */
  readonly tile?: TileChoice
  /** Gives up the start of threads: `createWasmDevice` rejects with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** What a device works with until it is disposed; nothing else refers to its memory. */
interface Parts {
  readonly heap: Heap
  readonly runner: Runner
  readonly writer: Writer
}

/** SIMD WebAssembly over one memory per device, on one thread or several. */
export async function createWasmDevice(kernels: WasmTable, options: WasmOptions): Promise<Device> {
  const { module, reason, threads, variants } = options
  const tile = options.tile ?? tileChoice(module)
  let parts: Parts | undefined = await createParts(options, tile)
  const shown = { module: module.form, linear: tile.name, ...variants }
  const look = () => {
    tile.look()
    shown.linear = tile.name
  }
  const weights = new Set<Storage>()
  let weightBytesHeld = 0
  let scratchBytes = 0
  let peak = 0
  let pass: Pass | undefined

  const live = (): Parts => {
    if (!parts) throw new BareclipError('DISPOSED', 'this model was disposed: load it again')
    return parts
  }
  const addressOf = (tensor: Tensor): number => {
    const offset = tensor.offset * bytesPerElement[tensor.dtype]
    if (tensor.storage.lifetime === 'weights') return (tensor.storage as Weight).address + offset
    const start = pass?.plan?.offsets.get(tensor.storage)
    invariant(pass && start !== undefined, `${tensor.label} belongs to no running pass`)
    return pass.base + start + offset
  }
  const view = (dtype: Dtype, address: number, length: number) =>
    typedView(dtype, live().heap.memory.buffer, address, length)

  return {
    info: { device: 'wasm', threads, reason, variants: shown },

    allocate(spec: WeightSpec) {
      const { heap } = live()
      const { label, role, shape, dtype } = spec
      invariant(!pass, `${label} is allocated while a scope is open`)
      invariant(role !== 'vector' || dtype === 'f32', `${label}: vectors are f32`)
      const bytes = weightBytes(spec)
      const storage: Weight = { lifetime: 'weights', bytes, role, address: heap.take(bytes, label) }
      weights.add(storage)
      weightBytesHeld += bytes
      peak = Math.max(peak, weightBytesHeld + scratchBytes)
      return { label, dtype, shape, storage, offset: 0 }
    },

    async write(weight, from, values, offset = 0) {
      const { writer } = live()
      const { dtype, shape, label, storage } = weight
      invariant(weights.has(storage), `${label} is no weight of this device`)
      const { role, address } = storage as Weight
      look()
      const start = weight.offset + offset
      invariant(start + values.length <= sizeOf(shape), `more values than ${label} has`)
      if (role === 'matrix') {
        const [matrixRows = 0, width = 0] = shape
        invariant(start % width === 0 && values.length % width === 0, `${label} is written in whole rows`)
        writer.rows(from, values, dtype, { address, matrixRows, width, row: start / width })
      } else {
        writer.elements(from, values, dtype, address + start * bytesPerElement[dtype])
      }
    },

    free({ storage }) {
      if (!parts || !weights.delete(storage)) return
      weightBytesHeld -= storage.bytes
      parts.heap.free((storage as Weight).address, storage.bytes)
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
      const { heap, runner } = live()
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
      peak = Math.max(peak, weightBytesHeld + scratchBytes)
      for (const [tensor, values] of inputs) view(tensor.dtype, addressOf(tensor), values.length).set(values)
      const at = Math.ceil((current.base + current.plan.bytes + temporary) / alignment) * alignment
      await runner.run(steps, at, live, runOptions)
    },

    async read(tensor) {
      live()
      invariant(pass?.recording.outputs.has(tensor), `${tensor.label} is no output of the open scope`)
      return view(tensor.dtype, addressOf(tensor), sizeOf(tensor.shape)).slice()
    },

    memory: () => ({
      weights: weightBytesHeld,
      scratch: scratchBytes,
      peak: Math.max(peak, weightBytesHeld + scratchBytes),
    }),

    dispose() {
      parts?.runner.dispose()
      parts = pass = undefined
      weights.clear()
      weightBytesHeld = scratchBytes = 0
    },
  }
}

async function createParts(options: WasmOptions, tile: TileChoice): Promise<Parts> {
  const { module, threads, workers, maximum, plan, signal } = options
  const fixed = (threads + 1) * threadScratch
  const heap = createHeap(module.shared, maximum, plan && { ...plan, weights: plan.weights + fixed })
  const writer = await createWriter(module.module, heap)
  return { heap, writer, runner: await createRunner(module, heap, { threads, workers, tile, signal }) }
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
