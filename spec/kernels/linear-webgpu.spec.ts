import { deepEqual, ok } from 'node:assert/strict'
import { type Case, errorOf, randomValues, runCase } from '../../kernels/case.ts'
import { type LinearData, linearCases } from '../../kernels/linear/cases.ts'
import { emulatedMatrices, linearLadder, subgroupLadder } from '../../kernels/linear/ladder.ts'
import { linear } from '../../kernels/linear/linear.ts'
import { quantizedLinearCases } from '../../kernels/linear/quantized-cases.ts'
import { webgpuKernels } from '../../kernels/webgpu.ts'
import type { Device } from '../../runtime/device.ts'
import type { DtypeArray } from '../../runtime/dtype.ts'
import { dequantizeRows, quantizeRows, scalesPerRow } from '../../runtime/quantize.ts'
import { createWebgpuDevice } from '../../runtime/webgpu/device.ts'
import type { WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import { type OpenedDevice, openDevice } from '../../runtime/webgpu/open.ts'
import { present } from '../devices.ts'
import { casesOnly, findGpu, rungsToo } from '../webgpu.ts'
import { bits } from './check.ts'

describe('linear on webgpu, rung by rung', () => {
  let opened: OpenedDevice
  let device: Device
  let rung: WebgpuKernel<never> = webgpuKernels.linear

  before(async function () {
    if (!rungsToo || !present.some(({ device }) => device === 'webgpu')) this.skip()
    const found = await findGpu()
    if (!('gpu' in found)) throw new Error(found.missing)
    opened = await openDevice({ gpu: found.gpu })
    const linear: WebgpuKernel<never> = (parameters, access) => rung(parameters, access)
    device = await createWebgpuDevice({ ...webgpuKernels, linear }, { source: opened, reason: 'under test' })
  })
  after(() => device?.dispose())

  const run = async (kernel: WebgpuKernel<never>, item: Case<LinearData>, data: LinearData) => {
    rung = kernel
    try {
      return (await runCase(device, item, data))[0] as Float32Array
    } finally {
      rung = webgpuKernels.linear
    }
  }

  // Codes take the same ways as floats, but for a line each that turns them into numbers.
  const all = [...linearCases(), ...quantizedLinearCases().filter(({ name }) => /, (5x65x17|gate gelu)$/.test(name))]
  // A driver on the processor compiles each pipeline for a second: there one or two of each kind.
  const few =
    /^(65x96x31|4x16x8|5x341x7|33x65x30|fused: bias, activation gelu, residual|gate 2x64x341|into rows, gate, residual|f16 weights, gate, residual|bf16 weights 17x33x65, no bias|i8 codes, 5x65x17|i16 codes, gate gelu)$/
  const fewest = /^(65x96x31|4x16x8|gate 2x64x341)$/
  const fitting = (wanted: RegExp) => all.filter(({ name }) => wanted.test(name))
  const chosenCases = () => (!opened.traits.software ? all : fitting(casesOnly ? fewest : few))
  /** Of the others, tiles of another size are compiled for seconds each. */
  const everyWeight = /^(1|2|3-blocked-64|6)/

  for (const [name, kernel] of Object.entries({ ...linearLadder, ...subgroupLadder })) {
    it(`rung ${name} has the bits of the one in use`, async function () {
      if (name in subgroupLadder && !opened.extensions.has('subgroups')) this.skip()
      const cases = opened.traits.software && !everyWeight.test(name) ? fitting(fewest) : chosenCases()
      for (const item of cases) {
        if (item.nonFinite) continue
        const data = item.data()
        deepEqual(bits(await run(kernel, item, data)), bits(await run(webgpuKernels.linear, item, data)), item.name)
      }
    })
  }

  it('f16 weights that are unpacked have the bits of those that are read as such', async function () {
    if (casesOnly || !opened.extensions.has('f16')) this.skip()
    const unpacking: WebgpuKernel<never> = (parameters, access) =>
      webgpuKernels.linear(parameters, { ...access, extensions: new Set() })
    for (const item of all.filter(({ name }) => name.startsWith('f16'))) {
      const data = item.data()
      deepEqual(bits(await run(unpacking, item, data)), bits(await run(webgpuKernels.linear, item, data)), item.name)
    }
  })

  // The hardware's own matrices are checked at the start of a device that has them.
  const matrices = [
    { component: 'f32', M: 4, N: 2, K: 4, name: '7-emulated-2x2', error: 1e-6 },
    { component: 'f16', M: 2, N: 4, K: 8, name: '7-emulated-1x2', error: 2 ** -9 }, // x and weights rounded to 11 bits
  ]
  for (const { error, name, ...shape } of matrices) {
    it(`rung ${name} in ${shape.component} computes what the one in use does`, async function () {
      if (shape.component === 'f16' && (casesOnly || !opened.extensions.has('f16'))) this.skip()
      const kernel = emulatedMatrices({ ...shape, result: 'f32' })[name]!
      const chosen =
        /^(1x1x1|5x341x7|33x65x30|4x16x8|fused: bias, .*|f16 weights, .*|gate .*|into rows, .*|rows .*|i8 .*)$/
      for (const item of chosenCases().filter(({ name }) => chosen.test(name))) {
        const data = item.data()
        const got = await run(kernel, item, data)
        const found = errorOf(got, await run(webgpuKernels.linear, item, data), data.out, 'tensor')
        ok(found.error <= error, `${item.name}: ${found.error} at ${found.at}`)
      }
    })
  }

  for (const precision of ['q8', 'q12'] as const) {
    it(`${precision} weights have the bits of the float32 weights that they stand for`, async function () {
      if (casesOnly) this.skip()
      const [rows, width, out] = [5, 150, 37]
      const values = randomValues(`weight ${precision}`, out * width)
      const quantized = quantizeRows(values, width, precision, 'weight')
      const dtype = precision === 'q8' ? 'i8' : 'i16'
      const put = async (label: string, dtype: 'f32' | 'i8' | 'i16', columns: number, values: DtypeArray) => {
        const tensor = device.allocate({ label, role: 'matrix', shape: [out, columns], dtype })
        await device.write(tensor, dtype, values)
        return tensor
      }
      const codes = await put('codes', dtype, width, quantized.codes)
      const scale = await put('scale', 'f32', scalesPerRow(width), quantized.scales)
      const floats = await put('floats', 'f32', width, dequantizeRows(quantized, width))
      const scope = device.scope()
      try {
        const x = scope.input('x', 'f32', [rows, width], randomValues('x', rows * width))
        const got = scope.output(linear(scope, x, { weight: codes, scale }))
        const want = scope.output(linear(scope, x, { weight: floats }))
        await device.run(scope)
        deepEqual(await device.read(got), await device.read(want))
      } finally {
        scope.end()
        for (const tensor of [codes, scale, floats]) device.free(tensor)
      }
    })
  }
})
