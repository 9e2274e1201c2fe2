import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { chooseDevice } from '../../clip/choose-device.ts'
import { selfTest, smallShape } from '../../clip/self-test.ts'
import { explanationText, type LoadOptions, load, type Progress } from '../../index.ts'
import { webgpuKernels } from '../../kernels/webgpu.ts'
import type { Dispatch, Shader, WebgpuKernel, WebgpuTable } from '../../runtime/webgpu/kernel.ts'
import { deviceNames, loadingOn, present } from '../devices.ts'
import { casesOnly, findGpu } from '../webgpu.ts'
import { hookedGpu } from './gpu-hook.ts'

describe('choosing webgpu', () => {
  const refused: [name: string, options: object, code: string, message: RegExp][] = [
    ['no GPU', { gpu: 3 }, 'INVALID_ARGUMENT', /^gpu should be a GPU, such as navigator.gpu, .* found 3$/],
    ['no GPUDevice', { gpuDevice: {} }, 'INVALID_ARGUMENT', /^gpuDevice should be a GPUDevice, found an object/],
    ['no adapter', { gpu: { requestAdapter: async () => null } }, 'DEVICE_UNAVAILABLE', /finds no adapter here/],
    ['a function that gives nothing', { gpu: () => undefined }, 'DEVICE_UNAVAILABLE', /found undefined/],
    [
      'a function that throws',
      {
        gpu() {
          throw new Error('it is raining')
        },
      },
      'DEVICE_UNAVAILABLE',
      /it is raining/,
    ],
  ]
  for (const [name, options, code, message] of refused) {
    it(`${name}: by name an error, ${code === 'INVALID_ARGUMENT' ? 'and for auto as well' : 'for auto a reason'}`, async () => {
      const expected = (error: Error & { code?: string }) => {
        equal(error.code, code)
        match(error.message, message)
        return true
      }
      await rejects(load(undefined, { ...options, device: 'webgpu' } as LoadOptions), expected)
      if (code === 'INVALID_ARGUMENT') await rejects(load(undefined, options as LoadOptions), expected)
      else {
        using clip = await load(undefined, options as LoadOptions)
        equal(clip.info.device, 'wasm')
        match(clip.info.reason, message)
      }
    })
  }
})

describe('webgpu, started for a model', () => {
  let gpu: GPU
  before(async function () {
    if (casesOnly || !present.some(({ device }) => device === 'webgpu')) this.skip()
    const found = await findGpu()
    if ('gpu' in found) gpu = found.gpu
  })

  /** The adapter as if it were, or were not, a driver that computes on the processor. */
  const posing = (description: string) => {
    const info = { vendor: 'acme', description, isFallbackAdapter: false } as GPUAdapterInfo
    return hookedGpu(gpu, { adapter: () => ({ info }) })
  }
  const explained = async (table: WebgpuTable) => {
    const { device } = await chooseDevice({ device: 'webgpu', gpu, webgpuTable: table })
    const { reason } = device.info
    const wrong = await selfTest(device, undefined, 3e-5)
    device.dispose()
    equal(wrong, undefined)
    return reason
  }
  /** As a kernel that takes a faster way where f16 is offered; `altered` is what goes wrong on that way. */
  const withFastWay =
    (kernel: WebgpuKernel<never>, altered: (dispatch: Dispatch) => Dispatch): WebgpuKernel<never> =>
    (parameters, access) => {
      const dispatches = kernel(parameters, access)
      if (!access.extensions.has('f16')) return dispatches
      return dispatches.map((dispatch) => altered({ ...dispatch, pipeline: { ...dispatch.pipeline, enable: ['f16'] } }))
    }
  const broken: Shader = { name: 'layer-norm/broken', bindings: [], uniforms: [], code: 'fn other() { nonsense(); }' }
  const unlike = ({ uniforms, ...dispatch }: Dispatch): Dispatch => ({
    ...dispatch,
    uniforms: { ...uniforms, epsilon: 1 },
  })

  it('auto takes an adapter that is real, not one on the processor; both with the reason', async () => {
    const real = posing('a card')
    using clip = await load(undefined, { gpu: () => real.gpu })
    equal(clip.info.device, 'webgpu')
    equal(clip.info.adapter?.description, 'acme, a card')
    equal(clip.info.reason, 'auto: the fastest device here')
    const software = posing('SwiftShader')
    using other = await load(undefined, { gpu: software.gpu })
    equal(other.info.device, 'wasm')
    match(other.info.reason, /no webgpu: acme, SwiftShader computes on the processor/)
    for (const device of software.devices) equal((await device.lost).reason, 'destroyed')
  })

  it('auto goes on with wasm where the weights do not fit', async () => {
    const real = posing('a card')
    const gpuDevice = await (await real.gpu.requestAdapter())!.requestDevice()
    const { createBuffer, pushErrorScope, popErrorScope } = gpuDevice
    const scopes: string[] = []
    let failing = false
    gpuDevice.createBuffer = (descriptor) => {
      failing ||= /word_embeddings/.test(descriptor.label ?? '')
      return createBuffer.call(gpuDevice, descriptor)
    }
    gpuDevice.pushErrorScope = (filter) => {
      scopes.push(filter)
      return pushErrorScope.call(gpuDevice, filter)
    }
    gpuDevice.popErrorScope = async () => {
      const full = scopes.pop() === 'out-of-memory' && failing
      const error = await popErrorScope.call(gpuDevice)
      return full ? { message: 'all is full' } : error
    }
    Object.defineProperty(gpuDevice, 'adapterInfo', { value: { vendor: 'acme' } })
    const seen: Progress[] = []
    using clip = await load(undefined, { gpuDevice, onProgress: (progress) => seen.push(progress) })
    ok(failing)
    equal(clip.info.device, 'wasm')
    match(clip.info.reason, /no webgpu: no memory for /)
    const loaded = seen.filter(({ stage }) => stage === 'load')
    ok(loaded.every(({ done }, i) => i === 0 || done >= loaded[i - 1]!.done))
    gpuDevice.destroy()
  })

  it('compiles with progress before it loads; info tells features, limits, variants', async () => {
    const seen: Progress[] = []
    using clip = await load(undefined, { device: 'webgpu', gpu, onProgress: (progress) => seen.push(progress) })
    for (const stage of ['compile', 'load']) {
      const own = seen.filter((progress) => progress.stage === stage)
      ok(own.length > 1 && own.every(({ done }, i) => i === 0 || done >= own[i - 1]!.done), stage)
      equal(own.at(-1)!.done, own.at(-1)!.total)
    }
    equal(
      seen.findLastIndex(({ stage }) => stage === 'compile') < seen.findIndex(({ stage }) => stage === 'load'),
      true,
    )
    const { adapter, variants } = clip.info
    ok(adapter!.limits.maxBufferSize! >= 2 ** 28)
    const known = ['shader-f16', 'subgroups', 'chromium-experimental-subgroup-matrix', 'timestamp-query']
    ok(adapter!.features.every((feature) => known.includes(feature)))
    ok(['linear', 'attention', 'rotary'].every((operation) => variants[operation]!.length > 0))
  })

  it('a wrong variant is not used, and the reason says so; a wrong kernel is refused', async function () {
    const adapter = await gpu.requestAdapter()
    const kernel = webgpuKernels['layer-norm'] as WebgpuKernel<never>
    const table: WebgpuTable = webgpuKernels
    await rejects(explained({ ...table, 'layer-norm': (p, access) => kernel(p, access).map(unlike) }), {
      code: 'DEVICE_UNAVAILABLE',
      message: /^the webgpu device does not work here: its self-test failed: layer-norm gives .* the reference gives/,
    })
    if (!adapter!.features.has('shader-f16')) this.skip()
    match(
      await explained({ ...table, 'layer-norm': withFastWay(kernel, unlike) }),
      /^asked for by name; layer-norm without f16: layer-norm gives .* where the reference gives/,
    )
  })

  it('the self-test computes attention for heads of any width', async () => {
    const { device } = await chooseDevice({ device: 'webgpu', gpu })
    try {
      for (const headDim of [6, 33, 160]) {
        equal(await selfTest(device, { ...smallShape, headDim, attentionOnly: true }, 3e-5), undefined, `${headDim}`)
      }
    } finally {
      device.dispose()
    }
  })

  it('a variant that does not compile is not used; a kernel that does not is refused', async function () {
    const adapter = await gpu.requestAdapter()
    const kernel = webgpuKernels['layer-norm'] as WebgpuKernel<never>
    const table: WebgpuTable = webgpuKernels
    const spoilt = ({ pipeline, ...dispatch }: Dispatch): Dispatch => ({
      ...dispatch,
      pipeline: { ...pipeline, files: [...pipeline.files, broken] },
    })
    await rejects(explained({ ...table, 'layer-norm': (p, access) => kernel(p, access).map(spoilt) }), {
      code: 'DEVICE_UNAVAILABLE',
      message: /the shader .*layer-norm\/broken.* does not compile here: [\s\S]*nonsense/,
    })
    if (!adapter!.features.has('shader-f16')) this.skip()
    match(
      await explained({ ...table, 'layer-norm': withFastWay(kernel, spoilt) }),
      /^asked for by name; layer-norm without f16: the shader .*layer-norm\/broken/,
    )
  })
})

describe('explain', () => {
  for (const name of deviceNames) {
    it(`on ${name}: what runs, and what a sample takes`, async () => {
      using clip = await load(undefined, loadingOn(name))
      const plain = await clip.explain()
      equal(plain.sample, undefined)
      equal(plain.device.device, name)
      equal(plain.startup !== undefined, name === 'webgpu')
      const operations = plain.operations.map(({ operation }) => operation)
      ok(['embedding', 'linear', 'attention', 'patch-embed', 'rotary'].every((one) => operations.includes(one)))
      for (const { operation, kernels } of plain.operations) {
        ok(kernels.length > 0, operation)
        for (const { kernel, checked } of kernels) ok(checked || name === 'reference', `${kernel} is not tested`)
      }
      const { sample, ...sampled } = await clip.explain({ text: ['a red circle', 'a star'], tokens: [5, 6, 7] })
      deepEqual(
        sample!.operations.map(({ operation }) => operation).sort(),
        sampled.operations.map(({ operation }) => operation).sort(),
      )
      ok(sample!.operations.every(({ ms, calls }) => ms >= 0 && calls > 0))
      ok(sample!.ms > 0 && sample!.firstMs > 0 && sample!.clock.length > 3)
      const text = explanationText({ sample, ...sampled })
      for (const word of [name, 'why: ', 'linear', 'attention', 'sample: ', 'in all']) ok(text.includes(word), word)
    })
  }

  it('refuses what it does not know', async () => {
    using clip = await load(undefined, { device: 'wasm' })
    await rejects(clip.explain({ texts: 'a' } as object), { code: 'INVALID_ARGUMENT', message: /texts/ })
    await rejects(clip.explain({ text: 3 } as object), { code: 'INVALID_INPUT' })
  })
})
