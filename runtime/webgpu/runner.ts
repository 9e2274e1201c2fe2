import type { Command, RunOptions } from '../device.ts'
import type { DtypeArray } from '../dtype.ts'
import { invariant } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { bufferUsage, uniformStride } from './constants.ts'
import { scoped, settle, type Verdict } from './guard.ts'
import { createPace } from './pace.ts'
import type { Pipelines } from './pipelines.ts'
import { createBindGroups, placeOf, writeUniforms } from './places.ts'
import type { SlotPlan } from './slots.ts'
import { createStaging } from './staging.ts'
import type { Step } from './steps.ts'
import { createStopwatch } from './stopwatch.ts'
import { bytesOf } from './weights.ts'

/** A pass that has its place: ready to be encoded. */
export interface PlacedPass {
  readonly steps: readonly Step[]
  /** The steps from this command on, cut by the budget as it is now. */
  cut(from: Command): Promise<readonly Step[]>
  readonly plan: SlotPlan
  /** Of each slot of the plan. */
  readonly buffers: readonly GPUBuffer[]
  readonly inputs: ReadonlyMap<Tensor, DtypeArray>
  readonly outputs: readonly Tensor[]
}

/** Encodes passes and submits them in pieces. */
export interface Runner {
  /** The outputs' values. Ends at the next submission once `stopped` answers true; what it returns then means nothing. */
  run(pass: PlacedPass, stopped: () => boolean, options: RunOptions): Promise<ReadonlyMap<Tensor, DtypeArray>>
  /** What one submission, and so one dispatch, should not exceed, in flops. */
  readonly budget: number
  /** Held for uniforms and outputs. */
  readonly bytes: number
  /** Buffers have gone: nothing refers to them any more. */
  forget(): void
  /** After a run that was stopped or failed: its way back may still be mapped, a buffer may not have been made. */
  discard(): void
  /** At the end. */
  dispose(): void
}

/** Submitted and not done: enough that the device never waits for the host. */
const inFlight = 2

/** The rest of a pass is cut anew when the budget has grown so much: larger dispatches leave fewer cores idle at their ends. */
const muchMore = 4

/** One submission has at most this many: short ones cost time that their flops do not tell. */
const mostSteps = 512

/** The first of a longer pass has this many, so that the device is at work while the host encodes the rest. */
const firstSteps = 32

export function createRunner(device: GPUDevice, pipelines: Pipelines, software: boolean): Runner {
  const pace = createPace(software)
  const groups = createBindGroups(device)
  const staging = createStaging(device)
  const stopwatch = createStopwatch(device)
  let uniforms: { buffer: GPUBuffer; group: GPUBindGroup } | undefined

  const fitUniforms = (bytes: number) => {
    if (uniforms && uniforms.buffer.size >= bytes) return uniforms
    uniforms?.buffer.destroy()
    const usage = bufferUsage.uniform | bufferUsage.copyTarget
    const buffer = device.createBuffer({ label: 'uniforms', size: bytes, usage })
    const resource = { buffer, offset: 0, size: uniformStride }
    const group = device.createBindGroup({
      label: 'uniforms',
      layout: pipelines.uniformLayout,
      entries: [{ binding: 0, resource }],
    })
    uniforms = { buffer, group }
    return uniforms
  }

  const upload = ({ inputs, plan, buffers }: PlacedPass) => {
    for (const [tensor, values] of inputs) {
      if (values.length === 0) continue
      const { buffer, offset } = placeOf(tensor, plan, buffers)
      device.queue.writeBuffer(buffer, offset, bytesOf(values))
    }
  }

  /** Of all steps. Queued behind what was submitted with earlier ones. */
  const uploadUniforms = (steps: readonly Step[]) => {
    if (steps.length === 0) return
    const words = new DataView(new ArrayBuffer(steps.length * uniformStride))
    steps.forEach(({ dispatch }, i) => {
      const { uniforms: declared, key } = pipelines.get(dispatch.pipeline)
      writeUniforms(declared, dispatch.uniforms, words, i * uniformStride, key)
    })
    device.queue.writeBuffer(fitUniforms(words.byteLength).buffer, 0, new Uint8Array(words.buffer))
  }

  /** Steps from … to - 1 of the pass; each in a compute pass of its own where it is timed. */
  const encode = (
    encoder: GPUCommandEncoder,
    pass: PlacedPass,
    steps: readonly Step[],
    { from, to, timed }: { from: number; to: number; timed: boolean },
  ) => {
    const place = (tensor: Tensor, part?: number) => placeOf(tensor, pass.plan, pass.buffers, part)
    const limit = device.limits.maxComputeWorkgroupsPerDimension
    let open: GPUComputePassEncoder | undefined
    for (let i = from; i < to; i++) {
      const { dispatch, copies } = steps[i]!
      if (copies.length > 0 || timed) {
        open?.end()
        open = undefined
      }
      for (const copy of copies) {
        const source = place(copy.from)
        const target = place(copy.to)
        encoder.copyBufferToBuffer(source.buffer, source.offset, target.buffer, target.offset, target.size)
      }
      const pipeline = pipelines.get(dispatch.pipeline)
      const [x, y, z] = dispatch.workgroups
      if (Math.max(x, y, z) > limit)
        invariant(false, `${pipeline.key}: ${x} × ${y} × ${z} workgroups, ${limit} go at once`)
      open ??= encoder.beginComputePass(timed ? stopwatch.around(i - from) : {})
      open.setPipeline(pipeline.pipeline)
      open.setBindGroup(0, groups.get(pipeline, dispatch, place))
      open.setBindGroup(1, uniforms!.group, [i * uniformStride])
      open.dispatchWorkgroups(x, y, z)
    }
    open?.end()
  }

  const discard = () => {
    staging.discard()
    stopwatch.discard()
    uniforms?.buffer.destroy()
    uniforms = undefined
  }

  /** The first step that is not in the submission which starts at `from`. */
  const endOf = (steps: readonly Step[], from: number, single: Command | undefined) => {
    let flops = 0
    let to = from
    const most = from === 0 && steps.length > 2 * firstSteps ? firstSteps : mostSteps
    while (to < steps.length && (single ? steps[to]!.command === single : to - from < most)) {
      flops += steps[to]!.flops
      if (!single && to > from && flops > pace.budget) break
      to++
    }
    return to
  }

  return {
    async run(pass, stopped, { onProgress, onCommand }) {
      const { outputs } = pass
      let { steps } = pass
      let cutFor = pace.budget
      const total = steps.reduce((sum, { flops }) => sum + flops, 0)
      const verdicts: Verdict[] = [scoped(device, () => upload(pass)).verdict]
      verdicts.push(scoped(device, () => uploadUniforms(steps)).verdict)
      const waiting: Promise<void>[] = []
      let done = 0
      let before = 0
      let from = 0
      do {
        const command = onCommand && steps[from]?.command
        const to = endOf(steps, from, command)
        const last = to === steps.length
        const timed = command !== undefined && stopwatch.holds(to - from)
        const { verdict } = scoped(device, () => {
          const encoder = device.createCommandEncoder()
          encode(encoder, pass, steps, { from, to, timed })
          if (timed) stopwatch.encode(encoder, to - from)
          if (last) staging.encode(encoder, outputs, (tensor) => placeOf(tensor, pass.plan, pass.buffers))
          device.queue.submit([encoder.finish()])
        })
        verdicts.push(verdict)
        const flops = steps.slice(from, to).reduce((sum, step) => sum + step.flops, 0)
        const submitted = performance.now()
        const isDone = last && outputs.length > 0 ? staging.map() : device.queue.onSubmittedWorkDone()
        const finished = isDone.then(() => {
          const now = performance.now()
          pace.measured(flops, now - Math.max(submitted, before))
          before = now
          done += flops
          if (!last && !stopped()) onProgress?.(Math.min(done, total), total)
        })
        finished.catch(() => {}) // told when it is awaited, if it is
        waiting.push(finished)
        if (command || waiting.length >= inFlight) await waiting.shift()
        if (stopped()) return new Map()
        if (command) {
          const ms = timed ? await stopwatch.read(to - from) : before - submitted
          if (stopped()) return new Map()
          onCommand?.(command, ms)
        }
        from = to
        const next = steps[from]?.command
        const changed = pace.budget >= muchMore * cutFor || pace.budget <= cutFor / 2
        if (next && next !== steps[from - 1]?.command && changed) {
          cutFor = pace.budget
          steps = [...steps.slice(0, from), ...(await pass.cut(next))]
          if (stopped()) return new Map()
          verdicts.push(scoped(device, () => uploadUniforms(steps)).verdict)
        }
      } while (from < steps.length)
      const outcomes = await Promise.allSettled(waiting)
      if (stopped()) return new Map()
      for (const verdict of verdicts) await settle(verdict, 'a pass')
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      return stopped() ? new Map() : staging.values()
    },
    get budget() {
      return pace.budget
    },
    get bytes() {
      return (uniforms?.buffer.size ?? 0) + staging.bytes
    },
    forget: () => groups.clear(),
    discard,
    dispose() {
      discard()
      groups.dispose()
    },
  }
}
