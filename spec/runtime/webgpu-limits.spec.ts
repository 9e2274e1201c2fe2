import { deepEqual, equal, ok } from 'node:assert/strict'
import { randomValues, runCase } from '../../kernels/case.ts'
import { type EmbeddingData, embeddingCases } from '../../kernels/embedding/cases.ts'
import { layerNorm } from '../../kernels/layer-norm/layer-norm.ts'
import { linear } from '../../kernels/linear/linear.ts'
import { webgpuKernels } from '../../kernels/webgpu.ts'
import type { Device } from '../../runtime/device.ts'
import { createWebgpuDevice } from '../../runtime/webgpu/device.ts'
import { traitsOf } from '../../runtime/webgpu/open.ts'
import { createPace } from '../../runtime/webgpu/pace.ts'
import { asked, present } from '../devices.ts'
import { findGpu, findNullGpu } from '../webgpu.ts'
import { longLinear } from './passes.ts'

describe('webgpu pace', () => {
  it('comes to about 50 ms a submission on fast devices and on slow ones', () => {
    for (const [software, flopsPerMs] of [
      [false, 2e10],
      [false, 1e9],
      [true, 1e6],
      [true, 2e7],
    ] as const) {
      const pace = createPace(software)
      for (let i = 0; i < 12; i++) pace.measured(pace.budget, pace.budget / flopsPerMs)
      const ms = pace.budget / flopsPerMs
      ok(ms > 40 && ms < 60, `${ms} ms at ${flopsPerMs} flops/ms`)
    }
  })

  it('does not take what a small submission costs for what a large one would', () => {
    const pace = createPace(false)
    const { budget } = pace
    pace.measured(budget / 1000, 1)
    equal(pace.budget, budget)
    pace.measured(budget / 1000, 400) // but a slow one is slow, however small
    ok(pace.budget < budget)
  })
})

describe('webgpu adapters', () => {
  it('those that compute on the processor are known by name', () => {
    const named = (description: string) => traitsOf({ description } as GPUAdapterInfo, description).software
    for (const name of ['Microsoft Basic Render Driver', 'llvmpipe (LLVM 15)', 'SwiftShader Device', 'WARP']) {
      ok(named(name), name)
    }
    for (const name of ['NVIDIA H100', 'Apple M3', 'Intel Arc', 'nvidia, warpath']) ok(!named(name), name)
  })

  it('subgroup sizes and matrices are those that it tells, else what WebGPU allows', () => {
    deepEqual(traitsOf(undefined, '').subgroupSizes, [4, 128])
    const config = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 }
    const info = { subgroupMinSize: 32, subgroupMaxSize: 32, subgroupMatrixConfigs: [config] }
    const traits = traitsOf(info as unknown as GPUAdapterInfo, 'card')
    deepEqual(traits.subgroupSizes, [32, 32])
    deepEqual(traits.subgroupMatrices, [{ component: 'f16', result: 'f32', M: 16, N: 16, K: 16 }])
  })
})

describe('webgpu with low limits', () => {
  it('a word table larger than a binding is in several, with the same bits', async function () {
    if (!present.some(({ device }) => device === 'webgpu')) this.skip()
    const found = await findGpu()
    if (!('gpu' in found)) throw new Error(found.missing)
    const make = async (most?: number) => {
      const gpu = await (await found.gpu.requestAdapter())!.requestDevice()
      if (most !== undefined) {
        const { limits } = gpu
        const lower = new Proxy(limits, {
          get: (_, name) => (name === 'maxStorageBufferBindingSize' ? most : Reflect.get(limits, name, limits)),
        })
        Object.defineProperty(gpu, 'limits', { value: lower })
      }
      return { gpu, device: await createWebgpuDevice(webgpuKernels, { source: { device: gpu }, reason: 'under test' }) }
    }
    const whole = await make()
    const parts = await make(16384)
    try {
      let cut = 0
      for (const item of embeddingCases()) {
        const data: EmbeddingData = item.data()
        const [vocabulary = 0, width = 0] = data.word.shape
        if (vocabulary * width * 4 > 16384 && data.ids.length * width * 4 < 16384) cut++
        if (data.ids.length * width * 4 > 16384) continue
        deepEqual(await runCase(parts.device, item, data), await runCase(whole.device, item, data), item.name)
      }
      ok(cut > 0, 'a case with a table of more than 16384 bytes')
    } finally {
      for (const { gpu, device } of [whole, parts]) {
        device.dispose()
        gpu.destroy()
      }
    }
  })
})

describe('webgpu resources, on a device that computes nothing', () => {
  const found = asked('webgpu') ? findNullGpu() : undefined
  const live = new Set<GPUBuffer>()
  let gpu: GPUDevice
  let device: Device

  before(async function () {
    if (!found || !('gpu' in found)) this.skip()
    gpu = await (await found.gpu.requestAdapter())!.requestDevice()
    const { createBuffer } = gpu
    gpu.createBuffer = (descriptor) => {
      const buffer = createBuffer.call(gpu, descriptor)
      live.add(buffer)
      const { destroy } = buffer
      buffer.destroy = () => {
        live.delete(buffer)
        return destroy.call(buffer)
      }
      return buffer
    }
    device = await createWebgpuDevice(webgpuKernels, { source: { device: gpu }, reason: 'under test' })
  })
  after(() => {
    device?.dispose()
    gpu?.destroy()
  })

  it('buffers and their bytes stay the same over 1000 passes of changing sizes', async () => {
    const sizes = [8, 40, 16]
    const records = await Promise.all(sizes.map((size) => longLinear(device, size, 3)))
    const pass = async (i: number) => {
      const scope = device.scope()
      const y = records[i % records.length]!(scope)
      await device.run(scope)
      await device.read(y)
      scope.end()
    }
    const held = () => [live.size, [...live].reduce((sum, { size }) => sum + size, 0)]
    for (let i = 0; i < 10; i++) await pass(i)
    const before = held()
    for (let i = 0; i < 1000; i++) await pass(i)
    deepEqual(held(), before)
  })

  it('more rows than one side of a grid holds, and more work than one dispatch should do, are valid', async () => {
    const errors: string[] = []
    gpu.addEventListener('uncapturederror', ({ error }) => errors.push(error.message))
    const rows = 70_000
    const vector = async (label: string) => {
      const tensor = device.allocate({ label, role: 'vector', shape: [4], dtype: 'f32' })
      await device.write(tensor, 'f32', new Float32Array(4))
      return tensor
    }
    const norm = { weight: await vector('weight'), bias: await vector('bias'), epsilon: 1e-6 }
    const weight = device.allocate({ label: 'matrix', role: 'matrix', shape: [4, 4], dtype: 'f32' })
    const scope = device.scope()
    try {
      const x = layerNorm(scope, scope.input('x', 'f32', [rows, 4], randomValues('x', rows * 4)), norm)
      scope.output(linear(scope, x, { weight }))
      await device.run(scope)
      deepEqual(errors, [])
    } finally {
      scope.end()
    }
  })

  it('ends with no buffer left', () => {
    device.dispose()
    const left = [...live].map(({ label }) => label)
    deepEqual(left, [])
  })
})
