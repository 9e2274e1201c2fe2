import { bufferUsage } from '../../../runtime/webgpu/constants.ts'
import type { OpenedDevice } from '../../../runtime/webgpu/open.ts'
import { createStopwatch } from '../../../runtime/webgpu/stopwatch.ts'
import type { Roofs } from './roofs.ts'

export interface WebgpuRoofs {
  measure(into: Roofs, share: number, signal?: AbortSignal): Promise<void>
  steady(into: Roofs): Promise<number>
  dispose(): void
}

const workgroup = 256
/** One look: ms. */
const lookMs = 20
const looks = 4
const links = 2
const chains = 8

/** 8 chains of vec4: enough to hide the latency beside the other threads of a core. */
const multiplyAdd = (type: 'f32' | 'f16') => `
${type === 'f16' ? 'enable f16;' : ''}
alias T = vec4<${type}>;
struct Parameters { rounds: u32, elements: u32, x: f32, y: f32 }
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read_write> results: array<f32>;
@compute @workgroup_size(${workgroup})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let x = T(${type}(parameters.x));
  let y = T(${type}(parameters.y));
${all((i) => `  var a${i} = y * ${type}(${i});`)}
  for (var round = 0u; round < parameters.rounds; round++) {
${Array.from({ length: links }, () => all((i) => `    a${i} = fma(a${i}, x, y);`)).join('\n')}
  }
  results[id.x] = f32(dot(${Array.from({ length: chains }, (_, i) => `a${i}`).join(' + ')}, x));
}`

function all(line: (i: number) => string): string {
  return Array.from({ length: chains }, (_, i) => line(i)).join('\n')
}

const traffic = (body: string) => `
struct Parameters { rounds: u32, elements: u32, x: f32, y: f32 }
@group(0) @binding(0) var<uniform> parameters: Parameters;
@group(0) @binding(1) var<storage, read_write> results: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> source: array<vec4<u32>>;
@compute @workgroup_size(${workgroup})
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let threads = groups.x * ${workgroup}u;
${body}
}`

const copy = traffic('  for (var i = id.x; i < parameters.elements; i += threads) { results[i] = source[i]; }')
const read = traffic(`  var sum = vec4<u32>();
  for (var i = id.x; i < parameters.elements; i += threads) { sum += source[i]; }
  results[id.x] = sum;`)

/** On the device that the kernels run on. Throws what WebGPU throws. */
export async function createWebgpuRoofs({ device, traits, extensions }: OpenedDevice): Promise<WebgpuRoofs> {
  const groups = traits.software ? 64 : 4096
  const most = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize)
  const bytes = Math.min(traits.software ? 16 * 2 ** 20 : 256 * 2 ** 20, Math.floor(most / 1024) * 1024)
  const buffer = (label: string, size: number, usage: number) => device.createBuffer({ label, size, usage })
  const uniform = buffer('roof parameters', 16, bufferUsage.uniform | bufferUsage.copyTarget)
  const source = buffer('roof source', bytes, bufferUsage.storage)
  const results = buffer('roof results', Math.max(bytes, 16 * groups * workgroup), bufferUsage.storage)
  const stopwatch = createStopwatch(device)
  const pipeline = (code: string) =>
    device.createComputePipelineAsync({
      layout: 'auto',
      compute: { module: device.createShaderModule({ code }), entryPoint: 'main' },
    })
  const peaks = [{ type: 'f32', pipeline: await pipeline(multiplyAdd('f32')) }]
  if (extensions.has('f16')) peaks.push({ type: 'f16', pipeline: await pipeline(multiplyAdd('f16')) })
  const copying = await pipeline(copy)
  const reading = await pipeline(read)

  /** → ms of `times` dispatches, by timestamps where there are some */
  const run = async (made: GPUComputePipeline, rounds: number, times: number, hasSource: boolean) => {
    const words = new ArrayBuffer(16)
    new Uint32Array(words).set([rounds, bytes / 16])
    new Float32Array(words).set([0.999, 0.001], 2)
    device.queue.writeBuffer(uniform, 0, new Uint8Array(words))
    const bound = [uniform, results, ...(hasSource ? [source] : [])]
    const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }))
    const group = device.createBindGroup({ layout: made.getBindGroupLayout(0), entries })
    const timed = stopwatch.holds(1)
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass(timed ? stopwatch.around(0) : {})
    pass.setPipeline(made)
    pass.setBindGroup(0, group)
    for (let i = 0; i < times; i++) pass.dispatchWorkgroups(groups)
    pass.end()
    if (timed) stopwatch.encode(encoder, 1)
    await device.queue.onSubmittedWorkDone()
    const start = performance.now()
    device.queue.submit([encoder.finish()])
    if (timed) return await stopwatch.read(1)
    await device.queue.onSubmittedWorkDone()
    return performance.now() - start
  }
  /** Twice as much until it takes long enough. */
  const enough = async (look: (count: number) => Promise<number>) => {
    let count = 1
    while ((await look(count)) < lookMs && count < 2 ** 24) count *= 2
    return count
  }
  const flops = (rounds: number) => groups * workgroup * rounds * links * chains * 8
  const by = stopwatch.holds(1) ? "by the device's timestamps" : 'wall clock'
  let steadyRounds = 0

  const peak = async ({ type, pipeline }: (typeof peaks)[number], rounds: number, into: Roofs) => {
    const ms = await run(pipeline, rounds, 1, false)
    const how = `${chains} chains of vec4 in registers on ${groups * workgroup} threads, ${by}, the fastest look`
    into.saw(`multiply-add ${type}`, 'GFLOP/s', flops(rounds) / ms / 1e6, how)
    return 1000 / (flops(rounds) / ms / 1e6)
  }

  return {
    async measure(into, share, signal) {
      for (const one of peaks) {
        const rounds = await enough((count) => run(one.pipeline, count, 1, false))
        if (one.type === 'f32') steadyRounds = Math.ceil(rounds / 4)
        for (let look = 0; look < looks * share; look++) await peak(one, rounds, into)
        signal?.throwIfAborted()
      }
      for (const [name, made, moved] of [
        ['copy', copying, 2 * bytes],
        ['read', reading, bytes],
      ] as const) {
        const times = await enough((count) => run(made, 1, count, true))
        for (let look = 0; look < looks * share; look++) {
          const ms = await run(made, 1, times, true)
          const what = name === 'copy' ? 'read and written' : 'read and added up'
          into.saw(
            name,
            'GB/s',
            (moved * times) / ms / 1e6,
            `${what}, ${moved / 2 ** 20} MiB in all, ${by}, the fastest look`,
          )
        }
        signal?.throwIfAborted()
      }
    },
    steady: (into) => peak(peaks[0]!, Math.max(1, steadyRounds), into),
    dispose() {
      for (const one of [uniform, source, results]) one.destroy()
      stopwatch.discard()
    },
  }
}
