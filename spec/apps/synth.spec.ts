import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type SynthOptions,
  type SynthSize,
  type SynthTensor,
  synthConfig,
  synthModel,
  synthTensors,
  writeSynth,
} from '../../apps/synth/checkpoint.ts'
import { outlierChannels, tailsOf } from '../../apps/synth/outliers.ts'
import { defaultSeed, fnv1a32, hash, keyOf, linearExponent, ruleOf } from '../../apps/synth/rule.ts'
import { towersOf } from '../../apps/synth/tensors.ts'
import { cutTokenizer } from '../../apps/synth/tokenizer.ts'
import { writeFolder } from '../../apps/write-folder.ts'
import { openSafetensors } from '../../loaders/safetensors/safetensors.ts'
import { openSource } from '../../loaders/source.ts'

const golden = (path: string) => new URL(`../fixtures/golden/${path}`, import.meta.url)
const readJson = (url: URL | string) => JSON.parse(readFileSync(url, 'utf8'))
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

interface Manifest {
  readonly parameters: number
  readonly tensors: readonly {
    readonly name: string
    readonly shape: readonly number[]
    readonly rule: readonly ['const', number] | readonly ['uniform', number, number]
    readonly sha256_f32_le: string
    readonly first: readonly number[]
    readonly last: number
  }[]
}

function find(options: SynthOptions, name: string): SynthTensor {
  const found = synthTensors(options).find((tensor) => tensor.name === name)
  assert.ok(found, name)
  return found
}

const wqkv = 'text_model.transformer.encoder.layers.0.mixer.Wqkv.weight'

describe('synthetic checkpoint: the rule', () => {
  const generator = readJson(golden('ops/generator.json'))

  it('hashes names', () => {
    for (const [name, expected] of Object.entries(generator.fnv1a32)) assert.equal(fnv1a32(name), expected)
    assert.equal(fnv1a32('logit_scale'), 3778710661)
  })

  it('hashes elements', () => {
    const indices = [0, 1, 2, 3, 4, 5, 6, 7, 30528 * 768 - 1]
    for (const [key, expected] of Object.entries(generator.hash)) {
      const found = indices.map((i) => hash(Number(key.replace('key=', '')), i))
      assert.deepEqual(found, expected, key)
    }
    assert.deepEqual(
      [0, 1, 2].map((i) => hash(0x4a434c31, i)),
      [2672274320, 3064557680, 1140948344],
    )
    assert.equal(keyOf('', 0xffffffff), (0x811c9dc5 ^ 0xffffffff) >>> 0)
  })

  it('chooses exponents', () => {
    for (const [fanIn, expected] of Object.entries(generator.linear_exponent)) {
      assert.equal(linearExponent(Number(fanIn)), expected, fanIn)
    }
  })

  it('gives the values of the specification', () => {
    const first = find({ size: 'full' }, wqkv).values().subarray(0, 4)
    assert.deepEqual(
      [...first],
      [-0.003171548247337341, 0.043279767036437988, -0.048825174570083618, 0.055027157068252563].map(Math.fround),
    )
    const tails = find({ size: 'full', outliers: true }, wqkv).values().subarray(0, 4)
    assert.deepEqual(
      [...tails],
      [-0.02537238597869873, 0.04327976703643799, -0.04882517457008362, 0.055027157068252563].map(Math.fround),
    )
  })

  it('places outliers where the specification says', () => {
    // biome-ignore format: a table
    const cases = [
      ['text_model', 768, [[95, 4], [285, 5], [756, 6]]],
      ['vision_model', 768, [[86, 4], [371, 5], [641, 6]]],
      ['text_model', 96, [[43, 4], [90, 5]]],
      ['vision_model', 96, [[23, 4], [76, 5]]],
    ] as const
    for (const [tower, width, expected] of cases) assert.deepEqual(outlierChannels(tower, width, defaultSeed), expected)

    const { rows } = tailsOf(wqkv, [2304, 768], defaultSeed, towersOf(synthConfig({ size: 'full' })))
    const heads = Array.from({ length: 24 }, (_, head) => rows[head * 64])
    const drawn = [2, 1, 1, 1, 1, 3, 2, 0, 2, 3, 1, 0, 2, 3, 1, 2, 2, 2, 2, 0, 3, 0, 2, 3]
    assert.deepEqual(
      heads,
      drawn.map((y) => [1 / 4, 1, 2, 2][y]),
    )
    const values = Array.from({ length: 768 }, (_, i) => 1536 + i)
    assert.deepEqual(
      values.filter((row) => rows[row] === 8),
      [1892, 2234],
    )
    assert.deepEqual(
      values.filter((row) => rows[row] === 4),
      [1594, 1769],
    )
  })
})

describe('synthetic checkpoint: tensors', () => {
  const cases: ReadonlyArray<readonly [string, SynthOptions]> = [
    ['tiny-a', { size: 'tiny-a' }],
    ['tiny-b', { size: 'tiny-b' }],
    ['tiny-e2e', { size: 'tiny-e2e' }],
    ['tiny-e2e-outliers', { size: 'tiny-e2e', outliers: true }],
    ['full', { size: 'full' }],
    ['full-outliers', { size: 'full', outliers: true }],
  ]
  for (const [folder, options] of cases) {
    const { tensors: expected, parameters }: Manifest = readJson(golden(`${folder}/tensors.json`))
    const tensors = synthTensors(options)

    it(`${folder}: names, shapes and rules, in order`, () => {
      assert.deepEqual(
        tensors.map(({ name, shape }) => ({ name, shape: [...shape] })),
        expected.map(({ name, shape }) => ({ name, shape })),
      )
      const sizes = tensors.map(({ shape }) => shape.reduce((a, b) => a * b, 1))
      assert.equal(
        sizes.reduce((a, b) => a + b),
        parameters,
      )
      for (const { name, shape, rule } of expected) {
        const [kind, ...numbers] = rule
        const found = ruleOf(name, shape)
        if (kind === 'const') assert.deepEqual(found, { constant: Math.fround(numbers[0]) })
        else assert.deepEqual(found, { base: numbers[0], exponent: numbers[1] })
      }
    })

    // The whole of the full size: spec/full. Its first layers and what stands alone hold every kind of tensor.
    const small = ({ name, shape }: Manifest['tensors'][number]) =>
      (name.includes('.0.') || !/\.\d+\./.test(name)) && shape.reduce((a, b) => a * b, 1) < 2 ** 21
    const hashed = options.size === 'full' ? expected.filter(small) : expected
    it(`${folder}: the values of ${hashed.length} tensors, whole and in pieces`, () => {
      assert.ok(hashed.length > 15)
      for (const { name, sha256_f32_le, first, last } of hashed) {
        const tensor = tensors.find((tensor) => tensor.name === name)!
        const values = tensor.values()
        assert.equal(sha256(bytesOf(values)), sha256_f32_le, name)
        assert.deepEqual([...values.subarray(0, 4)], first)
        assert.equal(values.at(-1), last)
        const pieces = createHash('sha256')
        for (const piece of tensor.chunks()) pieces.update(bytesOf(piece))
        assert.equal(pieces.digest('hex'), sha256_f32_le, `${name} in pieces`)
      }
    })
  }
})

describe('synthetic checkpoint: files', () => {
  // The small rows of the specification's table; the last four are files of its Python version.
  // biome-ignore format: a table
  const table: ReadonlyArray<readonly [SynthOptions, number | undefined, string]> = [
    [{ size: 'tiny-a' }, 1_077_092, 'e521d669f283003c77f30f353ed59bbdd887fb3406932f48cfca360ae67901e5'],
    [{ size: 'tiny-a', dtype: 'f16' }, 542_498, '4e9d7355de9de1a475fbf6b3cedc52a2d21801fe5d9f927a7f2e863c1ca92c88'],
    [{ size: 'tiny-e2e' }, 13_749_444, '8434ac23c91173681c459b07a33b84e82fbae9f8d00ad99cdf0fda3257d39fdb'],
    [{ size: 'tiny-e2e', outliers: true }, 13_749_444, 'c5e5dd31d9cd769c9fd82aef123eeae2f664a2f9c1e49bc9255b404036807e2e'],
    [{ size: 'tiny-b', dtype: 'bf16', seed: defaultSeed }, undefined, '4b82d7fcc25c0c5bb48af64826242a08224311747426fad69b8a735375ce650b'],
    [{ size: 'tiny-b', seed: 12345 }, undefined, 'fa45ac1c4e67a0aa5cd77263f3be20566c5709419dd6a5d0aa3afe23517d31f3'],
    [{ size: 'tiny-b', seed: 0, dtype: 'f16', outliers: true }, undefined, 'df0439a57f90fbd2b563190fb566fd4859f3dcfa1132ec02f59550a03b2c2361'],
    [{ size: 'tiny-a', seed: 0xffffffff, dtype: 'bf16', outliers: true }, undefined, '1a68aaeb35a36b004e02bd5a3ee8ecb1605d8b8adc8a18db321638ffda37e0e3'],
  ]
  for (const [options, size, expected] of table) {
    it(`${JSON.stringify(options)} is byte for byte the specified file`, () => {
      const { weights } = synthModel(options)
      if (size !== undefined) assert.equal(weights.length, size)
      assert.equal(sha256(weights), expected)
    })
  }

  for (const [path, options] of [
    ['tiny-a/model.safetensors', { size: 'tiny-a' }],
    ['tiny-a/model.f16.safetensors', { size: 'tiny-a', dtype: 'f16' }],
    ['tiny-a/model.bf16.safetensors', { size: 'tiny-a', dtype: 'bf16' }],
    ['tiny-b/model.safetensors', { size: 'tiny-b' }],
  ] as const) {
    it(`reproduces ${path}`, () => {
      assert.ok(readFileSync(golden(path)).equals(synthModel(options).weights))
    })
  }

  for (const size of ['full', 'tiny-a', 'tiny-b', 'tiny-e2e'] as const) {
    it(`${size}: config.json with the same keys, values and order`, () => {
      const expected = JSON.stringify(readJson(golden(`${size}/config.json`)))
      assert.equal(JSON.stringify(synthConfig({ size })), expected)
      assert.equal(JSON.stringify(synthConfig({ size, dtype: 'f16' })), expected.replace('float32', 'float16'))
      assert.equal(JSON.stringify(synthConfig({ size, dtype: 'bf16' })), expected.replace('float32', 'bfloat16'))
      assert.equal(JSON.stringify(synthConfig({ size, seed: 1, outliers: true })), expected)
    })
  }

  describe('refuses', () => {
    const cases: ReadonlyArray<readonly [object, string]> = [
      [{ size: 'huge' }, 'expected size to be one of full, tiny-a, tiny-b, tiny-e2e, got "huge"'],
      [{ size: 'toString' }, 'expected size to be one of full, tiny-a, tiny-b, tiny-e2e, got "toString"'],
      [{}, 'expected size to be one of full, tiny-a, tiny-b, tiny-e2e, got undefined'],
      [{ size: 'tiny-a', seed: -1 }, 'expected seed to be an integer from 0 to 2^32 - 1, got -1'],
      [{ size: 'tiny-a', seed: 2 ** 32 }, 'expected seed to be an integer from 0 to 2^32 - 1, got 4294967296'],
      [{ size: 'tiny-a', seed: 0.5 }, 'expected seed to be an integer from 0 to 2^32 - 1, got 0.5'],
      [{ size: 'tiny-a', seed: '1' }, 'expected seed to be an integer from 0 to 2^32 - 1, got "1"'],
      [{ size: 'tiny-a', dtype: 'q8' }, 'expected dtype to be f32, f16 or bf16, got "q8"'],
    ]
    for (const [options, message] of cases) {
      it(message, async () => {
        const expected = { name: 'BareclipError', code: 'INVALID_ARGUMENT', message }
        assert.throws(() => synthModel(options as SynthOptions), expected)
        assert.throws(() => synthTensors(options as SynthOptions), expected)
        assert.throws(() => synthConfig(options as SynthOptions), expected)
        const folder = join(tmpdir(), 'bareclip-synth-never')
        await assert.rejects(writeSynth(folder, options as SynthOptions), expected)
        assert.equal(existsSync(folder), false)
      })
    }
  })
})

describe('synthetic checkpoint: the tokenizer of small vocabularies', () => {
  const whole = readJson(new URL('../fixtures/tokenizer/tokenizer.json', import.meta.url))
  const cut = cutTokenizer(whole, 512)

  it('has exactly the ids of the embedding table', () => {
    assert.deepEqual(
      Object.values(cut.model.vocab).sort((a, b) => Number(a) - Number(b)),
      Array.from({ length: 512 }, (_, id) => id),
    )
  })

  it('keeps the special tokens and everything that is not the vocabulary', () => {
    for (const { id, content } of whole.added_tokens) assert.equal(cut.model.vocab[content], id)
    assert.deepEqual({ ...cut, model: { ...cut.model, vocab: whole.model.vocab } }, whole)
  })

  it('splits any printable ASCII word: every character is there, alone and, letters and digits, as a continuation', () => {
    for (let code = 0x21; code < 0x7f; code++) {
      const character = String.fromCharCode(code).toLowerCase()
      assert.ok(cut.model.vocab[character] !== undefined, character)
      if (/[a-z0-9]/.test(character)) assert.ok(cut.model.vocab[`##${character}`] !== undefined, character)
    }
    for (const word of ['the', 'of', 'and', 'with']) assert.ok(cut.model.vocab[word] !== undefined, word)
  })

  it('leaves a vocabulary that fits alone', () => {
    assert.equal(cutTokenizer(whole, 30528), whole)
  })
})

describe('synthetic checkpoint: writing', () => {
  let room: string
  beforeEach(() => {
    room = mkdtempSync(join(tmpdir(), 'bareclip-synth-'))
  })
  afterEach(() => rmSync(room, { recursive: true }))

  const names = ['config.json', 'model.safetensors', 'preprocessor_config.json', 'tokenizer.json']

  for (const size of ['tiny-a', 'tiny-b', 'tiny-e2e'] as const satisfies SynthSize[]) {
    it(`${size}: a whole model folder`, async () => {
      const folder = join(room, 'some', 'where')
      const progress: [number, number][] = []
      await writeSynth(folder, { size, onProgress: (done, total) => progress.push([done, total]) })
      assert.deepEqual(readdirSync(folder).sort(), names)

      const weights = readFileSync(join(folder, 'model.safetensors'))
      assert.ok(weights.equals(synthModel({ size }).weights))
      const total = weights.length
      assert.ok(progress.every(([done, of], i) => of === total && done > (progress[i - 1]?.[0] ?? 0)))
      assert.deepEqual(progress.at(-1), [total, total])

      const config = readJson(join(folder, 'config.json'))
      assert.deepEqual(config, readJson(golden(`${size}/config.json`)))
      assert.deepEqual(readJson(join(folder, 'preprocessor_config.json')), {
        image_processor_type: 'JinaCLIPImageProcessor',
        size: config.vision_config.image_size,
        resize_mode: 'shortest',
        interpolation: 'bicubic',
        fill_color: 0,
        mean: [0.48145466, 0.4578275, 0.40821073],
        std: [0.26862954, 0.26130258, 0.27577711],
      })

      const vocabulary = Object.values(readJson(join(folder, 'tokenizer.json')).model.vocab) as number[]
      const file = await openSafetensors(await openSource(weights))
      const rows = file.tensors.get('text_model.transformer.embeddings.word_embeddings.weight')!.shape[0]!
      assert.equal(Math.max(...vocabulary), rows - 1)
    })
  }

  it('ships the tokenizer of the fixtures', async () => {
    await writeSynth(room, { size: 'tiny-e2e', dtype: 'f16' })
    const expected = readFileSync(new URL('../fixtures/tokenizer/tokenizer.json', import.meta.url))
    assert.ok(readFileSync(join(room, 'tokenizer.json')).equals(expected))
  })

  it('replaces the files of an older checkpoint and leaves others alone', async () => {
    writeFileSync(join(room, 'notes.txt'), 'mine')
    await writeSynth(room, { size: 'tiny-b' })
    await writeSynth(room, { size: 'tiny-a' })
    assert.deepEqual(readdirSync(room).sort(), [...names, 'notes.txt'].sort())
    assert.equal(statSync(join(room, 'model.safetensors')).size, 1_077_092)
    assert.equal(readJson(join(room, 'config.json')).projection_dim, 64)
  })

  it('rejects with the reason when aborted, before or within, and leaves nothing', async () => {
    const reason = new Error('enough')
    await assert.rejects(writeSynth(join(room, 'a'), { size: 'tiny-a', signal: AbortSignal.abort(reason) }), reason)
    const controller = new AbortController()
    const options: SynthOptions = {
      size: 'tiny-e2e',
      signal: controller.signal,
      onProgress: (done, total) => {
        if (done > total / 2) controller.abort(reason)
      },
    }
    await assert.rejects(writeSynth(join(room, 'a', 'b'), options), reason)
    assert.deepEqual(readdirSync(room), [])
  })

  it('keeps an older checkpoint whole when it fails', async () => {
    await writeSynth(room, { size: 'tiny-a' })
    const onProgress = () => {
      throw new Error('mine')
    }
    await assert.rejects(writeSynth(room, { size: 'tiny-b', onProgress }), /mine/)
    assert.deepEqual(readdirSync(room).sort(), names)
    assert.ok(readFileSync(join(room, 'model.safetensors')).equals(readFileSync(golden('tiny-a/model.safetensors'))))
  })

  it('says what could not be written, and why', async () => {
    writeFileSync(join(room, 'file'), '')
    for (const folder of [join(room, 'file'), join(room, 'file', 'below')]) {
      await assert.rejects(writeSynth(folder, { size: 'tiny-a' }), (error: Error & { code?: string }) => {
        assert.equal(error.name, 'BareclipError')
        assert.equal(error.code, 'WRITE_FAILED')
        assert.ok(error.message.startsWith(`cannot write ${folder}: E`), error.message)
        assert.ok(error.cause instanceof Error)
        return true
      })
    }
    assert.deepEqual(readdirSync(room), ['file'])
  })

  it('finds a folder in a file’s place before it writes anything', async () => {
    mkdirSync(join(room, 'config.json'))
    await assert.rejects(writeSynth(room, { size: 'tiny-a' }), {
      code: 'WRITE_FAILED',
      message: `cannot write ${join(room, 'config.json')}: expected a file or nothing there, found a folder`,
    })
    assert.deepEqual(readdirSync(room), ['config.json'])
  })

  it('removes what it wrote when a later file fails, and only folders that it made', async () => {
    const error = new Error('disk full')
    const files = [
      { name: 'a', content: (write: (bytes: Uint8Array) => Promise<void>) => write(new Uint8Array(10)) },
      {
        name: 'b',
        content: async (write: (bytes: Uint8Array) => Promise<void>) => {
          await write(new Uint8Array(10))
          assert.equal(readdirSync(join(room, 'kept', 'made', 'x')).length, 2)
          throw error
        },
      },
    ]
    mkdirSync(join(room, 'kept'))
    await assert.rejects(writeFolder(join(room, 'kept', 'made', 'x'), files), error)
    assert.deepEqual(readdirSync(join(room, 'kept')), [])
  })

  it('reports an unwritable folder', async function () {
    if (process.platform === 'win32' || process.getuid?.() === 0) this.skip() // root may write anywhere
    const folder = join(room, 'locked')
    mkdirSync(folder, { mode: 0o500 })
    await assert.rejects(writeSynth(folder, { size: 'tiny-a' }), { code: 'WRITE_FAILED', message: /EACCES/ })
  })
})
