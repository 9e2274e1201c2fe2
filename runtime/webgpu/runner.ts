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
  /** After a run that was stopped: its way back may still be mapped. */
  discard(): void
}

/** Submitted and not done: enough that the device never waits for the host. */
const inFlight = 2

/** One submission has at most this many: short ones cost time that their flops do not tell. */
const mostSteps = 512

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

  /** Inputs and uniforms of all steps. */
  const upload = ({ steps, inputs, plan, buffers }: PlacedPass) => {
    for (const [tensor, values] of inputs) {
      if (values.length === 0) continue
      const { buffer, offset } = placeOf(tensor, plan, buffers)
      device.queue.writeBuffer(buffer, offset, bytesOf(values))
    }
    if (steps.length === 0) return
    const words = new DataView(new ArrayBuffer(steps.length * uniformStride))
    steps.forEach(({ dispatch }, i) => {
      const { uniforms: declared, key } = pipelines.get(dispatch.pipeline)
      writeUniforms(declared, dispatch.uniforms, words, i * uniformStride, key)
    })
    device.queue.writeBuffer(fitUniforms(words.byteLength).buffer, 0, new Uint8Array(words.buffer))
  }

  /** Steps from … to - 1 of the pass; each in a compute pass of its own where it is timed. */
  const encode = (encoder: GPUCommandEncoder, pass: PlacedPass, from: number, to: number, timed: boolean) => {
    const place = (tensor: Tensor) => placeOf(tensor, pass.plan, pass.buffers)
    let open: GPUComputePassEncoder | undefined
    for (let i = from; i < to; i++) {
      const { dispatch, copies } = pass.steps[i]!
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
      const limit = device.limits.maxComputeWorkgroupsPerDimension
      invariant(Math.max(x, y, z) <= limit, `${pipeline.key}: ${x} × ${y} × ${z} workgroups, ${limit} go at once`)
      open ??= encoder.beginComputePass(timed ? stopwatch.around(i - from) : {})
      open.setPipeline(pipeline.pipeline)
      open.setBindGroup(0, groups.get(pipeline, dispatch, place))
      open.setBindGroup(1, uniforms!.group, [i * uniformStride])
      open.dispatchWorkgroups(x, y, z)
    }
    open?.end()
  }

  /** The first step that is not in the submission which starts at `from`. */
  const endOf = (steps: readonly Step[], from: number, single: Command | undefined) => {
    let flops = 0
    let to = from
    while (to < steps.length && (single ? steps[to]!.command === single : to - from < mostSteps)) {
      flops += steps[to]!.flops
      if (!single && to > from && flops > pace.budget) break
      to++
    }
    return to
  }

  return {
    async run(pass, stopped, { onProgress, onCommand }) {
      const { steps, outputs } = pass
      const total = steps.reduce((sum, { flops }) => sum + flops, 0)
      const verdicts: Verdict[] = [scoped(device, () => upload(pass)).verdict]
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
          encode(encoder, pass, from, to, timed)
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
    discard: () => staging.discard(),
  }
}
