import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BareclipError, type Clip, type LoadOptions, load, type ModelFiles } from '../../index.ts'
import { present } from '../devices.ts'
import { casesOnly, findGpu } from '../webgpu.ts'
import { type GpuHooks, hookedGpu } from './gpu-hook.ts'

const golden = (name: string) => new URL(`../fixtures/golden/tiny-a/${name}`, import.meta.url)
const config = JSON.parse(readFileSync(golden('config.json'), 'utf8'))
config.text_config.hf_model_config_kwargs.num_hidden_layers = 1

/** Hidden width 64, one layer of text, from files. */
const tiny: ModelFiles = {
  config,
  weights: golden('model.safetensors'),
  tokenizer: new URL('../../shapes/tokenizer.json', import.meta.url),
}
const bytes = () => new Uint8Array(readFileSync(golden('model.safetensors')))

const tokens = (length: number) => ({ tokens: Int32Array.from({ length }, (_, i) => 1 + ((i * 31) % 60)) })
const short = async (clip: Clip) => (await clip.encodeText([tokens(30), tokens(3)])).data
/** Some submissions, on a software adapter about a quarter of a second. */
const long = async (clip: Clip, options = {}) => (await clip.encodeText(tokens(1000), options)).data

const lost = (message: RegExp) => (error: BareclipError) => {
  equal(error.code, 'DEVICE_LOST', error.message)
  match(error.message, message)
  return true
}

describe('a model whose graphics device is lost', () => {
  let real: GPU
  before(async function () {
    if (casesOnly || !present.some(({ device }) => device === 'webgpu')) this.skip()
    const found = await findGpu()
    if ('gpu' in found) real = found.gpu
  })

  const opened = async (hooks: GpuHooks = {}, model: ModelFiles = tiny, options: LoadOptions = {}) => {
    const { gpu, devices } = hookedGpu(real, hooks)
    const clip = await load(model, { device: 'webgpu', gpu, ...options })
    return { clip, devices, [Symbol.dispose]: () => clip.dispose() }
  }
  /** Ends the device while the call is on. */
  const endUnder = async <T>(devices: readonly GPUDevice[], call: Promise<T>) => {
    call.catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 20))
    devices.at(-1)!.destroy()
    return call
  }

  it('under a running call: rebuilt, and the call gives the same bits', async () => {
    using it = await opened()
    const { clip, devices } = it
    const expected = await long(clip)
    const seen: number[] = []
    deepEqual(
      await endUnder(devices, long(clip, { onProgress: ({ done }: { done: number }) => seen.push(done) })),
      expected,
    )
    equal(devices.length, 2)
    match(clip.info.reason, /rebuilt after a loss/)
    ok(seen.every((done, i) => i === 0 || done >= seen[i - 1]!))
    ok(clip.memory().weights > 0)
    deepEqual(await long(clip), expected)
    equal(devices.length, 2)
  })

  it('calls that wait come out right as well, in order', async () => {
    using it = await opened()
    const { clip, devices } = it
    const expected = await Promise.all([long(clip), short(clip), long(clip), short(clip)])
    const calls = Promise.all([long(clip), short(clip), long(clip), short(clip)])
    deepEqual(await endUnder(devices, calls), expected)
    equal(devices.length, 2)
  })

  it('between calls, time and again', async () => {
    using it = await opened({}, { ...tiny, weights: new Blob([bytes()]) })
    const { clip, devices } = it
    const expected = await short(clip)
    for (const count of [2, 3]) {
      devices.at(-1)!.destroy()
      deepEqual(await short(clip), expected)
      equal(devices.length, count)
    }
  })

  it('twice in one call: an error and no loop; the next call works', async () => {
    using it = await opened()
    const { clip, devices } = it
    const expected = await short(clip)
    const again = setInterval(() => {
      if (devices.length === 2 && clip.info.reason.includes('rebuilt')) devices[1]!.destroy()
    }, 1)
    try {
      await rejects(endUnder(devices, long(clip)), lost(/^the graphics device was lost .*, right after it was rebuilt/))
    } finally {
      clearInterval(again)
    }
    equal(devices.length, 2)
    deepEqual(await short(clip), expected)
    equal(devices.length, 3)
  })

  it('while it is rebuilt: an error; the next call works', async () => {
    using it = await opened({ onDevice: (device, count) => count === 2 && device.destroy() })
    const { clip, devices } = it
    const expected = await short(clip)
    await rejects(endUnder(devices, long(clip)), lost(/could not be rebuilt: /))
    deepEqual(await short(clip), expected)
    equal(devices.length, 3)
  })

  it('no adapter any more, or another one: says so', async () => {
    using gone = await opened({ adapter: (count) => (count > 1 ? null : {}) })
    await rejects(endUnder(gone.devices, long(gone.clip)), lost(/could not be rebuilt: WebGPU finds no adapter/))
    const info = { vendor: 'another', description: 'llvmpipe' } as GPUAdapterInfo // so that it takes the same kernels
    using other = await opened({ adapter: (count) => (count > 1 ? { info } : {}) })
    await rejects(endUnder(other.devices, long(other.clip)), lost(/other bits now: the adapter was .*, it is another/))
  })

  it('disposed while it is rebuilt: DISPOSED, and no device is left', async () => {
    const clips: Clip[] = []
    const { clip, devices } = await opened({ onDevice: (_, count) => count === 2 && clips[0]?.dispose() })
    clips.push(clip)
    const [running, waiting] = [long(clip), short(clip)]
    waiting.catch(() => {})
    await rejects(endUnder(devices, running), { code: 'DISPOSED' })
    await rejects(waiting, { code: 'DISPOSED' })
    equal(devices.length, 2)
    for (const device of devices) equal((await device.lost).reason, 'destroyed')
    equal(clip.memory().weights, 0)
  })

  it('aborted while it is rebuilt: the reason, at once; the next call works', async () => {
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    using it = await opened({ onDevice: (_, count) => count === 2 && controller.abort(reason) })
    const { clip, devices } = it
    const expected = await short(clip)
    await rejects(endUnder(devices, long(clip, { signal: controller.signal })), reason)
    deepEqual(await short(clip), expected)
    equal(devices.length, 3)
    equal((await devices[1]!.lost).reason, 'destroyed')
  })

  it('weights from memory, or a device of the caller: not rebuilt, and why', async () => {
    using it = await opened({}, { ...tiny, weights: bytes() })
    await rejects(endUnder(it.devices, long(it.clip)), lost(/it is not rebuilt: its weights came from memory/))
    await rejects(short(it.clip), lost(/it is not rebuilt/))
    const gpuDevice = await (await real.requestAdapter())!.requestDevice()
    using clip = await load(tiny, { device: 'webgpu', gpuDevice })
    await rejects(endUnder([gpuDevice], long(clip)), lost(/it is not rebuilt: the device was handed in/))
  })

  it('weights that have changed meanwhile: said', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bareclip-'))
    try {
      const weights = join(folder, 'model.safetensors')
      writeFileSync(weights, bytes())
      using it = await opened({}, { ...tiny, weights })
      writeFileSync(weights, readFileSync(new URL('../../shapes/model.safetensors', import.meta.url)))
      await rejects(endUnder(it.devices, long(it.clip)), lost(/holds other tensors than when the model was loaded/))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
