import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { attention } from '../../kernels/attention/attention.ts'
import { batchInputs, randomValues, runCase } from '../../kernels/case.ts'
import { loadLayerNorm } from '../../kernels/layer-norm/cases.ts'
import { linear } from '../../kernels/linear/linear.ts'
import { webgpuKernels } from '../../kernels/webgpu.ts'
import { equalBatch } from '../../runtime/batch.ts'
import type { Device } from '../../runtime/device.ts'
import type { DtypeArray } from '../../runtime/dtype.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { createRecording } from '../../runtime/scope.ts'
import { createWebgpuDevice } from '../../runtime/webgpu/device.ts'
import { grid, type Shader, type WebgpuTable } from '../../runtime/webgpu/kernel.ts'
import { planSlots } from '../../runtime/webgpu/slots.ts'
import { lower } from '../../runtime/webgpu/steps.ts'
import { present } from '../devices.ts'
import { casesOnly, findGpu } from '../webgpu.ts'
import { longLinear, quickCase } from './passes.ts'

const failsWith = (code: BareclipError['code'], message: RegExp) => (error: unknown) => {
  ok(error instanceof BareclipError, String(error))
  equal(error.code, code)
  match(error.message, message)
  return true
}

describe('webgpu slots', () => {
  const storage = (bytes: number) => ({ lifetime: 'scratch', bytes }) as const

  it('what is alive together never shares a buffer; what is not takes turns', () => {
    const [a, b, c, d] = [storage(1000), storage(300), storage(900), storage(5000)]
    const { slots, bytes } = planSlots([
      { storage: a, first: -1, last: 1 },
      { storage: b, first: 0, last: 1 },
      { storage: c, first: 2, last: 3 },
      { storage: d, first: 3, last: 4 },
    ])
    equal(slots.get(c), slots.get(a), 'the smallest that is large enough')
    equal(slots.get(d), slots.get(b), 'else the largest that is free, which grows')
    deepEqual(bytes, [1024, 5120])
  })

  it('grids cover a count within the limit', () => {
    deepEqual(grid(65535), [65535, 1, 1])
    for (const count of [65536, 100_003, 4_000_000]) {
      const [x, y, z] = grid(count)
      ok(x <= 65535 && y <= 65535 && z === 1 && x * y >= count && x * y < count + y, `${x} × ${y}`)
    }
  })
})

describe('webgpu dispatches', () => {
  const limits = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27, maxComputeWorkgroupStorageSize: 16384 }
  const access = (dispatchFlops: number) => ({
    extensions: new Set<string>(),
    traits: { software: false, subgroupSizes: [4, 128], subgroupMatrices: [] } as const,
    limits: limits as GPUSupportedLimits,
    dispatchFlops,
  })

  it('are cut anew for the rest of a pass, in the same scratch', () => {
    const scope = createRecording(() => {})
    const x = scope.input('x', 'f32', [1024, 192], new Float32Array(1024 * 192))
    const weight = scope.input('weight', 'f32', [192, 192], new Float32Array(192 * 192))
    const batch = batchInputs(scope, equalBatch(2, 512))
    const slopes = scope.input('slopes', 'f32', [2], Float32Array.of(1 / 4, 1 / 16))
    const qkv = linear(scope, x, { weight })
    scope.output(attention(scope, { qkv, batch, heads: 2, scale: 1, slopes }))
    const lowering = lower(scope, webgpuKernels, limits as GPUSupportedLimits)
    const small = lowering.steps(0, access(1e7))
    const { length } = lowering.lifetimes
    const large = lowering.steps(1, access(1e12))
    equal(lowering.lifetimes.length, length)
    equal(large.length, 2, 'norms, and all queries at once')
    ok(small.filter(({ command }) => command === large[0]!.command).length > 4)
    ok(small[0]!.command !== large[0]!.command)
    const flops = (steps: typeof small) => steps.reduce((sum, step) => sum + step.flops, 0)
    equal(Math.round(flops(small)), Math.round(flops(large) + 2 * 1024 * 192 * 192))
  })

  it('a pass whose budget changes on the way has the bits of any other', async function () {
    const under = present.find(({ device }) => device === 'webgpu')
    if (casesOnly || !under) this.skip()
    const device = await under.create()
    try {
      const record = await longLinear(device, 160, 40)
      const outputs: DtypeArray[] = []
      for (let i = 0; i < 3; i++) {
        const scope = device.scope()
        const y = record(scope)
        await device.run(scope)
        outputs.push(await device.read(y))
        scope.end()
      }
      deepEqual(outputs[1], outputs[0])
      deepEqual(outputs[2], outputs[0])
    } finally {
      device.dispose()
    }
  })
})

describe('webgpu device', () => {
  const under = present.find(({ device }) => device === 'webgpu')
  let gpu: GPU

  before(async function () {
    if (!under) this.skip()
    const found = await findGpu()
    if ('gpu' in found) gpu = found.gpu
  })

  const openGpuDevice = async () => (await gpu.requestAdapter())!.requestDevice()
  const made = (device: GPUDevice, kernels: WebgpuTable = webgpuKernels): Promise<Device> =>
    createWebgpuDevice(kernels, { source: { device }, reason: 'under test' })
  const computes = async (device: Device) => {
    const item = quickCase()
    return (await runCase(device, item, item.data()))[0]!
  }

  it('works at the default limits', async () => {
    const source = { gpu, defaultLimits: true }
    const device = await createWebgpuDevice(webgpuKernels, { source, reason: 'under test' })
    try {
      ok((await computes(device)).length > 0)
      const spec = { label: 'huge', role: 'matrix', shape: [65536, 1024], dtype: 'f32' } as const
      await rejects(
        async () => device.allocate(spec),
        failsWith(
          'OUT_OF_MEMORY',
          /^no memory for huge, 256 MiB in one piece, past maxStorageBufferBindingSize of this graphics device, 128 MiB: use a smaller dtype or device wasm$/,
        ),
      )
    } finally {
      device.dispose()
    }
  })

  it('leaves a device that was handed in alone', async () => {
    const handed = await openGpuDevice()
    const first = await made(handed)
    const values = await computes(first)
    first.dispose()
    const second = await made(handed)
    deepEqual(await computes(second), values)
    second.dispose()
    handed.destroy()
  })

  it('a device that goes away is DEVICE_LOST, at once and from then on', async () => {
    const handed = await openGpuDevice()
    const device = await made(handed)
    const record = await longLinear(device, 512, 200)
    const scope = device.scope()
    record(scope)
    const running = device.run(scope)
    setTimeout(() => handed.destroy(), 20)
    await rejects(running, failsWith('DEVICE_LOST', /^the graphics device was lost \(.*\): load the model again$/))
    scope.end()
    await rejects(async () => device.scope(), failsWith('DEVICE_LOST', /load the model again/))
    device.dispose()
    await rejects(async () => device.scope(), failsWith('DEVICE_LOST', /load the model again/))
  })

  it('computes in place from a copy of what it reads', async () => {
    const device = await under!.create()
    try {
      const one = { rows: 3, width: 5, epsilon: 1e-6, weight: new Float32Array(5).fill(2), bias: new Float32Array(5) }
      const data = { ...one, x: randomValues('in place', 15) }
      const apart = await runCase(device, { load: loadLayerNorm }, { ...data, inPlace: false })
      deepEqual(await runCase(device, { load: loadLayerNorm }, { ...data, inPlace: true }), apart)
    } finally {
      device.dispose()
    }
  })

  it('takes weights and inputs from shared memory', async function () {
    if (typeof SharedArrayBuffer === 'undefined') this.skip()
    const device = await under!.create()
    try {
      const values = new Float32Array(new SharedArrayBuffer(4 * 6))
      values.set([1, 2, 3, 4, 5, 6])
      const weight = device.allocate({ label: 'weight', role: 'matrix', shape: [2, 3], dtype: 'f16' })
      await device.write(weight, 'f32', values)
      const scope = device.scope()
      const y = scope.output(linear(scope, scope.input('x', 'f32', [1, 3], values.subarray(0, 3)), { weight }))
      await device.run(scope)
      deepEqual(await device.read(y), Float32Array.of(14, 32))
      scope.end()
    } finally {
      device.dispose()
    }
  })

  it('a shader that does not compile is named, with file, line and text', async () => {
    const shader: Shader = {
      name: 'broken/file',
      bindings: [],
      uniforms: [],
      code: 'const a = 1;\n@compute @workgroup_size(1)\nfn main() { nonsense(); }\n',
    }
    const broken = {
      linear: () => [{ pipeline: { files: [shader] }, bindings: {}, uniforms: {}, workgroups: [1, 1, 1] as const }],
    }
    const handed = await openGpuDevice()
    const device = await made(handed, broken)
    await rejects(
      computes(device),
      failsWith('DEVICE_UNAVAILABLE', /^the shader broken\/file does not compile here: [\s\S]*nonsense/),
    )
    device.dispose()
    handed.destroy()
  })
})
