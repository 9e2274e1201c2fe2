import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultModel, type LoadOptions, load, type ModelFiles, type Progress } from '../../index.ts'

const shapes = new URL('../../shapes/', import.meta.url)
const bytesOf = (name: string) => new Uint8Array(readFileSync(new URL(name, shapes)))
const jsonOf = (name: string) => JSON.parse(readFileSync(new URL(name, shapes), 'utf8'))

describe('load', () => {
  it('nothing, a folder, a file: URL, files in memory: the same model', async () => {
    const sources: (string | URL | ModelFiles)[] = [
      fileURLToPath(shapes),
      fileURLToPath(shapes).replace(/[\\/]$/, ''),
      defaultModel(),
      {
        config: new Blob([bytesOf('config.json')]),
        tokenizer: jsonOf('tokenizer.json'),
        weights: bytesOf('model.safetensors'),
        preprocessor: bytesOf('preprocessor_config.json').buffer,
      },
      // without a preprocessor file the image size comes from the config
      {
        config: jsonOf('config.json'),
        tokenizer: bytesOf('tokenizer.json'),
        weights: new Blob([bytesOf('model.safetensors')]),
      },
    ]
    using clip = await load()
    const expected = await clip.encodeText('a red circle')
    const white = { data: new Uint8Array(64 * 64 * 3).fill(200), width: 64, height: 64 }
    const expectedImage = await clip.encodeImage(white)
    for (const source of sources) {
      using other = await load(source)
      deepEqual((await other.encodeText('a red circle')).data, expected.data)
      deepEqual((await other.encodeImage(white)).data, expectedImage.data)
    }
  })

  it('info says which device, why, and what the model is', async () => {
    using clip = await load(undefined, { device: 'reference', dtype: 'f16', threads: 3 })
    const { device, threads, reason, dtype, type, dimensions, imageSize } = clip.info
    deepEqual(
      { device, threads, dtype, type, dimensions, imageSize },
      {
        device: 'reference',
        threads: 1,
        dtype: 'f16',
        type: 'jina-clip',
        dimensions: 128,
        imageSize: 64,
      },
    )
    ok(reason.includes('one thread, not 3'))
  })

  it('f16 weights stay f16: half the memory, the same result for a checkpoint that is f16 already', async () => {
    using f32 = await load(undefined, { dtype: 'f32' })
    using f16 = await load(undefined, { dtype: 'f16' })
    deepEqual((await f16.encodeText('a red circle')).data, (await f32.encodeText('a red circle')).data)
    ok(f16.memory().weights < 0.52 * f32.memory().weights)
  })

  it('progress in bytes, never falling, to the total', async () => {
    const seen: Progress[] = []
    using _clip = await load(undefined, { onProgress: (progress) => seen.push(progress) })
    ok(seen.length > 1)
    ok(seen.every(({ stage, unit }) => stage === 'load' && unit === 'bytes'))
    ok(seen.every(({ done }, i) => i === 0 || done >= seen[i - 1]!.done))
    equal(seen.at(-1)!.done, seen.at(-1)!.total)
  })

  it('memory: scratch grows to what the largest pass needs and stays', async () => {
    using clip = await load()
    const before = clip.memory()
    await clip.encodeText(Array.from({ length: 50 }, () => 'a red circle'))
    const warm = clip.memory()
    ok(warm.scratch > before.scratch)
    for (let i = 0; i < 5; i++) await clip.encodeText(['a red circle', 'a star'])
    deepEqual(clip.memory(), warm)
    equal(warm.peak, warm.weights + warm.scratch)
  })

  describe('disposal', () => {
    it('using, dispose, dispose again', async () => {
      let kept: Awaited<ReturnType<typeof load>>
      {
        using clip = await load()
        kept = clip
      }
      await rejects(kept.encodeText('a'), { code: 'DISPOSED', message: 'this model was disposed: load it again' })
      await rejects(kept.encodeImage([]), { code: 'DISPOSED' })
      await rejects(kept.classify([], ['a']), { code: 'DISPOSED' })
      await rejects(kept.rank('a', []), { code: 'DISPOSED' })
      equal(kept.memory().weights, 0)
      kept.dispose()
    })

    it('calls under way and calls that wait reject', async () => {
      const clip = await load()
      const texts = Array.from({ length: 200 }, () => 'a red circle above a blue star on a gray background')
      const running = clip.encodeText(texts)
      const waiting = clip.encodeText(texts)
      setTimeout(() => clip.dispose(), 5)
      const results = await Promise.allSettled([running, waiting])
      for (const result of results) {
        ok(result.status === 'rejected' && result.reason.code === 'DISPOSED', String(result.status))
      }
    })
  })

  describe('abort', () => {
    const reason = new Error('changed my mind')
    const texts = Array.from({ length: 600 }, () => 'a red circle above a blue star on a gray background')

    it('before: load, encodeText, encodeImage, classify, rank', async () => {
      const signal = AbortSignal.abort(reason)
      await rejects(load(undefined, { signal }), reason)
      using clip = await load()
      const pixels = { data: new Uint8Array(3), width: 1, height: 1 }
      await rejects(clip.encodeText('a', { signal }), reason)
      await rejects(clip.encodeImage(pixels, { signal }), reason)
      await rejects(clip.classify(pixels, ['a'], { signal }), reason)
      await rejects(clip.rank('a', ['b'], { signal }), reason)
    })

    it('during work: promptly, and the model can be used again', async () => {
      using clip = await load()
      const expected = await clip.encodeText('a red circle')
      const controller = new AbortController()
      let abortedAt = 0
      setTimeout(() => {
        abortedAt = performance.now()
        controller.abort(reason)
      }, 30)
      await rejects(clip.encodeText(texts, { signal: controller.signal }), reason)
      ok(performance.now() - abortedAt < 1000)
      deepEqual((await clip.encodeText('a red circle')).data, expected.data)
    })

    it('while waiting for another call', async () => {
      using clip = await load()
      const first = clip.encodeText(texts)
      const controller = new AbortController()
      const second = clip.encodeText(texts, { signal: controller.signal })
      setTimeout(() => controller.abort(reason), 10)
      await rejects(second, reason)
      equal((await first).rows, texts.length)
    })

    it('while loading', async () => {
      const controller = new AbortController()
      await rejects(load(undefined, { signal: controller.signal, onProgress: () => controller.abort(reason) }), reason)
    })
  })

  describe('what cannot be loaded', () => {
    const folders: string[] = []
    /** The shapes model in a folder, with some files replaced or (null) left out. */
    const folder = (changes: Record<string, string | Uint8Array | null>) => {
      const path = mkdtempSync(join(tmpdir(), 'bareclip-'))
      folders.push(path)
      for (const name of ['config.json', 'tokenizer.json', 'model.safetensors', 'preprocessor_config.json']) {
        const content = name in changes ? changes[name]! : bytesOf(name)
        if (content !== null) writeFileSync(join(path, name), content)
      }
      return path
    }
    after(() => {
      for (const path of folders) rmSync(path, { recursive: true, force: true })
    })

    it('no folder; a hub id', async () => {
      await rejects(load('/nowhere/at/all'), {
        code: 'MODEL_NOT_FOUND',
        message:
          /no model at \/nowhere\/at\/all: expected a folder with config\.json, tokenizer\.json and model\.safetensors/,
      })
      await rejects(load('jinaai/jina-clip-v1'), { code: 'MODEL_NOT_FOUND', message: /A hub id is not downloaded/ })
    })

    const missing = ['config.json', 'tokenizer.json', 'model.safetensors']
    for (const name of missing) {
      it(`${name} is missing`, async () => {
        await rejects(load(folder({ [name]: null })), {
          code: 'MODEL_NOT_FOUND',
          message: new RegExp(name.replace('.', '\\.')),
        })
      })
    }

    it('preprocessor_config.json may be missing', async () => {
      using clip = await load(folder({ 'preprocessor_config.json': null }))
      equal(clip.info.imageSize, 64)
    })

    it('config.json is not JSON, or is no object', async () => {
      await rejects(load(folder({ 'config.json': '{"a": ' })), {
        code: 'INVALID_CONFIG',
        message: /config\.json.* is not JSON/,
      })
      await rejects(load(folder({ 'config.json': '[]' })), { code: 'INVALID_CONFIG' })
      await rejects(load(folder({ 'config.json': new Uint8Array([0xff, 0xfe, 0]) })), { code: 'INVALID_CONFIG' })
    })

    it('tokenizer.json is not JSON, or no WordPiece', async () => {
      await rejects(load(folder({ 'tokenizer.json': 'oops' })), { code: 'INVALID_TOKENIZER', message: /is not JSON/ })
      await rejects(load(folder({ 'tokenizer.json': '{"model": {"type": "Unigram"}}' })), /Unigram|tokenizer/)
    })

    it('preprocessor_config.json disagrees with config.json', async () => {
      await rejects(load(folder({ 'preprocessor_config.json': '{"size": 224}' })), {
        code: 'INVALID_CONFIG',
        message: "preprocessor_config.json: size 224, but config.json's image_size is 64",
      })
    })

    it('the weights belong to another config', async () => {
      const config = jsonOf('config.json')
      config.vision_config.layers = 5
      await rejects(load(folder({ 'config.json': JSON.stringify(config) })), {
        code: 'MISSING_TENSOR',
        message: /no tensor vision_model\.blocks\.4\.norm1\.weight, expected with shape \(128\)/,
      })
    })

    it('weights that are cut, wherever: refused, not half loaded', async () => {
      const whole = bytesOf('model.safetensors')
      for (const length of [0, 7, 64, 4096, 20_000, 1_000_000, whole.length - 1]) {
        await rejects(
          load({
            config: jsonOf('config.json'),
            tokenizer: jsonOf('tokenizer.json'),
            weights: whole.subarray(0, length),
          }),
          { code: 'INVALID_SAFETENSORS' },
          `${length} bytes`,
        )
      }
    })

    const options: [options: object | null, code: string][] = [
      [{ device: 'gpu' }, 'INVALID_ARGUMENT'],
      [{ device: 'webgpu', gpu: () => Promise.reject(new Error('no')) }, 'DEVICE_UNAVAILABLE'],
      [{ dtype: 'int4' }, 'INVALID_ARGUMENT'],
      [{ threads: 0 }, 'INVALID_ARGUMENT'],
      [{ threads: 1.5 }, 'INVALID_ARGUMENT'],
      [{ passTokens: 0 }, 'INVALID_ARGUMENT'],
      [{ dType: 'q8' }, 'INVALID_ARGUMENT'],
      [{ signal: 5 }, 'INVALID_ARGUMENT'],
      [{ onProgress: 5 }, 'INVALID_ARGUMENT'],
      [null, 'INVALID_ARGUMENT'],
    ]
    for (const [bad, code] of options) {
      it(`${JSON.stringify(bad)} is ${code}`, async () => {
        await rejects(load(undefined, bad as LoadOptions), { code })
      })
    }

    it('something that is no model at all', async () => {
      await rejects(load(42 as unknown as string), { code: 'INVALID_ARGUMENT', message: /found 42/ })
      await rejects(load({ config: {} } as ModelFiles), { code: 'INVALID_ARGUMENT', message: /tokenizer is missing/ })
    })
  })
})
