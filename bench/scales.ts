import { randomIndices, randomValues } from '../kernels/case.ts'
import { type Linear, linear } from '../kernels/linear/linear.ts'
import { activationLimit } from '../kernels/linear/quantized.ts'
import { linearWasm } from '../kernels/linear/wasm.ts'
import { wasmKernels } from '../kernels/wasm.ts'
import type { Device } from '../runtime/device.ts'
import { dequantizeRows, largestCode, type Precision, quantizeRows, scalesPerRow } from '../runtime/quantize.ts'
import { createWasmDevice } from '../runtime/wasm/device.ts'
import type { WasmKernel } from '../runtime/wasm/kernel.ts'
import { compileModule, type WasmModule } from '../runtime/wasm/module.ts'
import { median } from './statistics.ts'
import type { Print } from './table.ts'

const precisions: readonly Precision[] = ['q8', 'q12']

/** What a scale per 64 columns costs against one per row: in speed and, the other way, in accuracy. */
export async function benchScales(print: Print): Promise<void> {
  const module = await compileModule(false)
  await benchSpeed(module, print)
  await benchAccuracy(module, print)
}

const deviceOf = (module: WasmModule, table: typeof wasmKernels) =>
  createWasmDevice(table, { module, threads: 1, reason: 'bench', variants: {} })

/** [rows, in, out of the weight, gated] */
const shapes = [
  [16, 768, 2304, false],
  [128, 768, 6144, true],
  [197, 2048, 768, false],
  [1024, 3072, 768, false],
] as const

/** `linear` with sums that are emptied every 256 columns, as one scale per row would allow; the scales are then wrong. */
const every256: WasmKernel<Parameters<typeof linearWasm>[0]> = (parameters, access) =>
  linearWasm(parameters, access).map((step) => {
    if (step.entry === 'quantizeRows') {
      // four times as many columns: sums of q12 stay within int32 with codes a quarter as large
      const limit = Math.min(activationLimit('i8'), step.parameters[4]! / (parameters.weight.dtype === 'i8' ? 1 : 4))
      return { ...step, parameters: step.parameters.with(4, limit) }
    }
    return step.entry === 'linearQuantized' ? { ...step, parameters: step.parameters.with(-1, 4) } : step
  })

async function benchSpeed(module: WasmModule, print: Print): Promise<void> {
  await print(`Node ${process.versions.node}, ${module.form}, 1 thread. Processor time with sums emptied every 64 columns over that with every
256 columns, medians of pairs of interleaved runs; the speed itself: bareclip bench kernels --op linear
rows x in x out              q8      q12
`)
  for (const [rows, width, out, gated] of shapes) {
    const fine = await deviceOf(module, wasmKernels)
    const coarse = await deviceOf(module, { ...wasmKernels, linear: every256 })
    const weight = randomValues('weight', out * width, 1 / Math.sqrt(width))
    const x = randomValues('x', rows * width)
    const runs: [Device, Linear][] = []
    for (const precision of precisions) {
      for (const device of [fine, coarse]) runs.push([device, await quantizedLayer(device, weight, width, precision)])
    }
    const times: number[][] = runs.map(() => [])
    const flops = 2 * rows * width * out
    for (let i = -1; i < (flops < 1e9 ? 41 : 11); i++) {
      for (const [r, [device, layer]] of runs.entries()) {
        const ms = await timeOf(device, layer, x, rows, width, gated)
        if (i >= 0) times[r]!.push(ms)
      }
    }
    const ratio = (a: number, b: number) => median(times[a]!.map((ms, i) => ms / times[b]![i]!))
    const cells = [ratio(0, 1), ratio(2, 3)].map((value) => value.toFixed(2).padStart(9))
    const name = `${rows} x ${width} x ${out}${gated ? ' gated' : ''}`
    await print(`${name.padEnd(23)}${cells.join('')}\n`)
    fine.dispose()
    coarse.dispose()
  }
}

/** In ms of processor time: other processes do not count. */
async function timeOf(device: Device, layer: Linear, x: Float32Array, rows: number, width: number, gated: boolean) {
  const scope = device.scope()
  linear(scope, scope.input('x', 'f32', [rows, width], x), layer, gated ? { gate: 'gelu' } : {})
  const before = process.cpuUsage()
  await device.run(scope)
  const { user, system } = process.cpuUsage(before)
  scope.end()
  return (user + system) / 1000
}

async function quantizedLayer(device: Device, floats: Float32Array, width: number, precision: Precision) {
  const { codes, scales } = quantizeRows(floats, width, precision, 'weight')
  const features = floats.length / width
  const dtype = precision === 'q8' ? 'i8' : 'i16'
  const weight = device.allocate({ label: 'weight', role: 'matrix', shape: [features, width], dtype })
  await device.write(weight, dtype, codes)
  const shape = [features, scalesPerRow(width)]
  const scale = device.allocate({ label: 'scale', role: 'matrix', shape, dtype: 'f32' })
  await device.write(scale, 'f32', scales)
  return { weight, scale }
}

async function benchAccuracy(module: WasmModule, print: Print): Promise<void> {
  const [rows, width, out] = [16, 768, 768]
  await print(`
Relative error of y, ‖y - exact‖ / ‖exact‖, ${rows} x ${width} x ${out}
weights                                one scale per row   per 64 columns   ratio   per 64, on the device
`)
  const device = await deviceOf(module, wasmKernels)
  for (const [name, weight, x] of weights(rows, width, out)) {
    const exact = product(x, weight, width)
    for (const precision of precisions) {
      const perRow = errorOf(product(x, onePerRow(weight, width, precision), width), exact)
      const restored = dequantizeRows(quantizeRows(weight, width, precision, 'weight'), width)
      const per64 = errorOf(product(x, restored, width), exact)
      const layer = await quantizedLayer(device, weight, width, precision)
      const scope = device.scope()
      const y = scope.output(linear(scope, scope.input('x', 'f32', [rows, width], x), layer))
      await device.run(scope)
      const onDevice = errorOf(await device.read(y), exact)
      scope.end()
      const cell = (value: number, room: number) => value.toExponential(2).padStart(room)
      const ratio = (perRow / per64).toFixed(2).padStart(8)
      const figures = `${cell(perRow, 18)}${cell(per64, 17)}${ratio}${cell(onDevice, 24)}`
      await print(`${`${name}, ${precision}`.padEnd(38)}${figures}\n`)
    }
  }
  device.dispose()
}

/** name, weight (out, width), x (rows, width) */
function weights(rows: number, width: number, out: number): [string, Float32Array, Float32Array][] {
  const uniform = Float32Array.from(randomIndices('uniform', out * width, 2 ** 24), (i) => i / 2 ** 23 - 1)
  const tailed = randomIndices('tails', out * width, 16)
  const heavy = uniform.map((value, i) => value * (tailed[i] === 0 ? 4 : 0.5))
  const x = randomValues('x', rows * width)
  // as the layer norms of trained models do: a few channels of x are large, their columns of the weight small
  const channels = new Map([
    [100, 16],
    [350, 32],
    [600, 64],
  ])
  const factor = (i: number) => channels.get(i % width)
  const lowered = (value: number, i: number) => (factor(i) ? (4 * value) / factor(i)! : value)
  return [
    ['uniform', uniform, x],
    ['heavy tails', heavy, x],
    ['heavy tails, 3 large channels of x', heavy.map(lowered), x.map((value, i) => value * (factor(i) ?? 1))],
  ]
}

/** weight: (out, width) as codes with one scale per row stand for it */
function onePerRow(weight: Float32Array, width: number, precision: Precision): Float32Array {
  const restored = new Float32Array(weight.length)
  for (let start = 0; start < weight.length; start += width) {
    const row = weight.subarray(start, start + width)
    const scale = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / largestCode[precision]
    restored.set(
      row.map((value) => Math.round(value / scale) * scale),
      start,
    )
  }
  return restored
}

/** x (rows, width) · weightᵀ in float64 */
function product(x: Float32Array, weight: Float32Array, width: number): Float64Array {
  const out = weight.length / width
  const y = new Float64Array((x.length / width) * out)
  for (let i = 0; i < y.length; i++) {
    const a = Math.floor(i / out) * width
    const b = (i % out) * width
    let sum = 0
    for (let k = 0; k < width; k++) sum += x[a + k]! * weight[b + k]!
    y[i] = sum
  }
  return y
}

function errorOf(got: ArrayLike<number>, exact: Float64Array): number {
  const wrong = exact.reduce((sum, value, i) => sum + (got[i]! - value) ** 2, 0)
  return Math.sqrt(wrong / exact.reduce((sum, value) => sum + value * value, 0))
}
