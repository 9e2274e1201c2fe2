import { deepEqual } from 'node:assert/strict'
import { randomValues, runCase } from '../../kernels/case.ts'
import { linearCases } from '../../kernels/linear/cases.ts'
import { linearLadder } from '../../kernels/linear/ladder.ts'
import { linear } from '../../kernels/linear/linear.ts'
import { webgpuKernels } from '../../kernels/webgpu.ts'
import type { Device } from '../../runtime/device.ts'
import type { DtypeArray } from '../../runtime/dtype.ts'
import { dequantizeRows, quantizeRows, scalesPerRow } from '../../runtime/quantize.ts'
import { createWebgpuDevice } from '../../runtime/webgpu/device.ts'
import type { WebgpuTable } from '../../runtime/webgpu/kernel.ts'
import { present } from '../devices.ts'
import { casesOnly, findGpu } from '../webgpu.ts'

describe('linear on webgpu, beyond the cases', () => {
  const under = present.find(({ device }) => device === 'webgpu')
  let device: Device

  before(async function () {
    if (casesOnly || !under) this.skip()
    device = await under.create()
  })
  after(() => device?.dispose())

  for (const [name, rung] of Object.entries(linearLadder)) {
    it(`rung ${name} has the bits of the one in use`, async () => {
      const found = await findGpu()
      if (!('gpu' in found)) throw new Error(found.missing)
      const kernels: WebgpuTable = { ...webgpuKernels, linear: rung }
      const other = await createWebgpuDevice(kernels, { source: { gpu: found.gpu }, reason: 'under test' })
      try {
        for (const item of linearCases().filter(({ name }) => /^(65x96x31|fused: bias, gate gelu)$/.test(name))) {
          deepEqual(await runCase(other, item, item.data()), await runCase(device, item, item.data()), item.name)
        }
      } finally {
        other.dispose()
      }
    })
  }

  for (const precision of ['q8', 'q12'] as const) {
    it(`${precision} weights have the bits of the float32 weights that they stand for`, async () => {
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
