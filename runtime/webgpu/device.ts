import type { Command, Device, KernelPlan, RunOptions, WeightSpec } from '../device.ts'
import type { DtypeArray } from '../dtype.ts'
import { BareclipError, invariant } from '../errors.ts'
import { createRecording, type Recording } from '../scope.ts'
import type { Storage, Tensor } from '../tensor.ts'
import { createGuard, scoped, settle } from './guard.ts'
import type { WebgpuTable } from './kernel.ts'
import { adapterInfo, type OpenedDevice, openDevice, type WebgpuSource } from './open.ts'
import { createPipelines, keyOf, variantOf } from './pipelines.ts'
import { createRunner } from './runner.ts'
import { createSlotPool, planSlots } from './slots.ts'
import { lower, type Step } from './steps.ts'
import { allocateWeight, settleWeight, type Upload, type WeightStorage, writeWeight } from './weights.ts'

export interface WebgpuOptions {
  readonly source: WebgpuSource | OpenedDevice
  readonly reason: string
  readonly variants?: Readonly<Record<string, string>>
}

interface Pass {
  readonly recording: Recording
  values: ReadonlyMap<Tensor, DtypeArray> | undefined
}

/** WGSL on any `GPU`. Throws DEVICE_UNAVAILABLE; what was lost later is DEVICE_LOST. */
export async function createWebgpuDevice(kernels: WebgpuTable, options: WebgpuOptions): Promise<Device> {
  const opened = 'owned' in options.source ? options.source : await openDevice(options.source)
  const { device: gpu, owned, traits, extensions } = opened
  const adapter = adapterInfo(opened)
  const guard = createGuard(gpu)
  const pipelines = createPipelines(gpu)
  const runner = createRunner(gpu, pipelines, traits.software)
  const pool = createSlotPool(gpu)
  const weights = new Set<Storage>()
  const unsettled = new Map<WeightStorage, string>()
  const upload: Upload = { pending: 0 }
  let weightBytes = 0
  let peak = 0
  let pass: Pass | undefined
  let disposed = false
  const variants = new Map<string, Set<string>>()

  const scratchBytes = () => (disposed ? 0 : pool.bytes + runner.bytes)
  const track = () => {
    peak = Math.max(peak, weightBytes + scratchBytes())
  }
  const settleWeights = async () => {
    for (const [storage, label] of [...unsettled]) {
      await settleWeight(storage, label)
      unsettled.delete(storage)
    }
  }

  const limits = () => ({ extensions, traits, limits: gpu.limits, dispatchFlops: runner.budget })
  const noted = (steps: readonly Step[]) => {
    for (const { command, dispatch } of steps) {
      const { name } = command.operation
      variants.set(name, (variants.get(name) ?? new Set()).add(variantOf(dispatch.pipeline)))
    }
    return steps
  }
  const planned = (recording: Recording) => noted(lower(recording, kernels, gpu.limits).steps(0, limits()))

  const run = async (current: Pass, stopped: () => boolean, runOptions: RunOptions) => {
    await settleWeights()
    const { recording } = current
    const lowering = lower(recording, kernels, gpu.limits)
    const cut = async (from: Command | undefined) => {
      const steps = noted(lowering.steps(from ? recording.commands.indexOf(from) : 0, limits()))
      await pipelines.prepare(steps.map(({ dispatch }) => dispatch.pipeline))
      return steps
    }
    const steps = await cut(undefined)
    if (stopped()) return
    const plan = planSlots(lowering.lifetimes)
    const { result: fitted, verdict } = scoped(gpu, () => pool.fit(plan.bytes))
    if (fitted.changed) {
      runner.forget()
      try {
        await settle(verdict, 'scratch')
      } catch (error) {
        pool.clear()
        throw error
      }
      if (stopped()) return
    }
    const { inputs, outputs } = recording
    const placed = { steps, cut, plan, buffers: fitted.buffers, inputs, outputs: [...outputs] }
    const values = await runner.run(placed, stopped, runOptions)
    if (stopped()) return
    track()
    current.values = values
    const total = recording.commands.reduce((sum, { operation, parameters }) => sum + operation.flops(parameters), 0)
    runOptions.onProgress?.(total, total)
  }

  return {
    get info() {
      const ran = [...variants].map(([operation, names]) => [operation, [...names].join(', ')])
      return {
        device: 'webgpu' as const,
        threads: 1,
        reason: options.reason,
        variants: { ...Object.fromEntries(ran), ...options.variants },
        adapter,
      }
    },

    allocate(spec: WeightSpec) {
      guard.live()
      const { label, dtype, shape } = spec
      const storage = allocateWeight(gpu, spec)
      unsettled.set(storage, label)
      weights.add(storage)
      weightBytes += storage.bytes
      track()
      return { label, dtype, shape, storage, offset: 0 }
    },

    async write(weight, from, values, offset = 0) {
      guard.live()
      invariant(weights.has(weight.storage), `${weight.label} is no weight of this device`)
      await guard.race(async () => {
        await settleWeights()
        await writeWeight(gpu, weight, from, values, weight.offset + offset, upload)
      })
    },

    free(weight) {
      if (!weights.delete(weight.storage)) return
      const storage = weight.storage as WeightStorage
      weightBytes -= storage.bytes
      unsettled.delete(storage)
      runner.forget()
      for (const buffer of storage.buffers) buffer.destroy()
    },

    scope() {
      guard.live()
      invariant(!pass, 'a scope is open already')
      const recording = createRecording(() => {
        pass = undefined
      })
      pass = { recording, values: undefined }
      return recording
    },

    async compile(recordings, { onProgress } = {}) {
      guard.live()
      const specs = recordings.flatMap((recording) =>
        planned(recording as Recording).map(({ dispatch }) => dispatch.pipeline),
      )
      await guard.race(() => pipelines.prepare(specs, onProgress))
    },

    kernelsOf(recording) {
      guard.live()
      const found = new Map<Command, KernelPlan[]>()
      for (const { command, dispatch } of planned(recording as Recording)) {
        const kernel = keyOf(dispatch.pipeline)
        const plans = found.get(command) ?? []
        found.set(command, plans)
        if (plans.some((plan) => plan.kernel === kernel)) continue
        plans.push({ kernel, why: dispatch.why, compileMs: pipelines.find(kernel)?.ms })
      }
      return found
    },

    async run(scope, runOptions: RunOptions = {}) {
      guard.live()
      const current = pass
      invariant(current && current.recording === scope, 'the scope is not the open one')
      current.values = undefined
      try {
        await guard.race((stopped) => run(current, stopped, runOptions), runOptions.signal)
      } finally {
        if (!current.values) runner.discard() // the way back may still be mapped
      }
    },

    async read(tensor) {
      guard.live()
      invariant(pass?.recording.outputs.has(tensor), `${tensor.label} is no output of the open scope`)
      const values = pass?.values?.get(tensor)
      invariant(values, `${tensor.label} is read before a run has written it`)
      return values.slice()
    },

    memory: () => ({ weights: weightBytes, scratch: scratchBytes(), peak }),

    dispose() {
      if (disposed) return
      track()
      disposed = true
      guard.end(new BareclipError('DISPOSED', 'this model was disposed: load it again'))
      for (const storage of weights) for (const buffer of (storage as WeightStorage).buffers) buffer.destroy()
      weights.clear()
      unsettled.clear()
      weightBytes = 0
      pass = undefined
      pool.clear()
      runner.dispose()
      if (owned) gpu.destroy()
    },
  }
}
