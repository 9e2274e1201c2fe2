import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { load, type Progress, quantize } from '../../index.ts'
import { convert } from '../../runtime/dtype.ts'
import { dequantizeRows, quantizeRows } from '../../runtime/quantize.ts'
import { assertClose } from '../close.ts'
import {
  changed,
  device,
  embed,
  embedWith,
  floatsOf,
  picture,
  quantized,
  readStored,
  synthFiles,
} from './stored-model.ts'

const gated = 'text_model.transformer.encoder.layers.0.mlp.gated_layers.weight'
const wqkv = 'text_model.transformer.encoder.layers.0.mixer.Wqkv.weight'
const proj = 'vision_model.blocks.0.attn.proj.weight'
const word = 'text_model.transformer.embeddings.word_embeddings.weight'
const patch = 'vision_model.patch_embed.proj.weight'
/** Of the small generated model. */
const hidden = 96

describe('quantize', () => {
  const sources = [
    { name: 'f32 with outliers', model: synthFiles({ outliers: true }) },
    { name: 'bf16', model: synthFiles({ dtype: 'bf16' }) },
    { name: 'f16', model: synthFiles({ dtype: 'f16' }) },
  ]
  for (const { name, model } of sources) {
    for (const dtype of ['f16', 'q12', 'q8'] as const) {
      it(`${name} to ${dtype}: loads as such, with the bits of the original loaded with this dtype`, async () => {
        const small = await quantized(model, dtype)
        using clip = await load(small, { device, dtype: dtype === 'f16' ? 'f16' : undefined })
        equal(clip.info.dtype, dtype)
        deepEqual(await embed(clip), await embedWith(model, dtype))
        ok(small.weights.length < (name.startsWith('f32') ? 0.6 : 1.1) * model.weights.length)
      })
    }
  }

  for (const dtype of ['q12', 'q8'] as const) {
    it(`${dtype}: integers with a scale per 64 columns, tables F16, vectors and patches F32`, async () => {
      const model = synthFiles()
      const { tensors, metadata } = await readStored((await quantized(model, dtype)).weights)
      const original = (await readStored(model.weights)).tensors
      deepEqual(metadata, { format: 'bareclip', precision: dtype })
      for (const [name, { dtype: stored, shape }] of tensors) {
        const before = original.get(name)?.shape
        if (!before) {
          const [rows, width] = original.get(name.slice(0, -'_scale'.length))!.shape
          deepEqual([stored, shape], ['F32', [rows, Math.ceil(width! / 64)]], name)
        } else if (name === word || name.includes('token_type')) {
          deepEqual([stored, shape], ['F16', before], name)
        } else if (before!.length === 2) {
          const fine = dtype === 'q12' || name.includes('.mixer.')
          deepEqual([stored, shape], [fine ? 'I16' : 'I8', before], name)
        } else deepEqual([stored, shape], ['F32', before], name)
      }
      equal([...tensors.keys()].filter((name) => original.has(name)).length, original.size)
    })

    it(`${dtype}: the text tower’s codes are those of quantizeRows, row by row; its attention has those of q12`, async () => {
      const model = synthFiles({ outliers: true })
      const { tensors } = await readStored((await quantized(model, dtype)).weights)
      const source = (await readStored(model.weights)).tensors.get(wqkv)!
      const { codes, scales } = quantizeRows(floatsOf(source), source.shape[1]!, 'q12', '')
      deepEqual(tensors.get(wqkv)!.bytes, new Uint8Array(codes.buffer))
      deepEqual(floatsOf(tensors.get(`${wqkv}_scale`)!), scales)
      const mlp = (await readStored(model.weights)).tensors.get(gated)!
      deepEqual(
        tensors.get(gated)!.bytes,
        new Uint8Array(quantizeRows(floatsOf(mlp), mlp.shape[1]!, dtype, '').codes.buffer),
      )
    })

    it(`${dtype}: what a layer norm gives and the matrix behind it are scaled against each other, by powers of two`, async () => {
      const model = await changed(synthFiles({ outliers: true }), (tensors) => {
        const norm = floatsOf(tensors.get('vision_model.blocks.0.attn.inner_attn_ln.weight')!)
        norm[3] = 100
        norm[4] = 0.01
      })
      const small = (await readStored((await quantized(model, dtype)).weights)).tensors
      const original = (await readStored(model.weights)).tensors
      const norm = 'vision_model.blocks.0.attn.inner_attn_ln'
      const divisors = floatsOf(original.get(`${norm}.weight`)!).map(
        (gain, k) => gain / floatsOf(small.get(`${norm}.weight`)!)[k]!,
      )
      ok(divisors.every((divisor) => Number.isInteger(Math.log2(divisor))))
      deepEqual(
        [divisors[3], divisors[4]],
        [128, 2 ** -6].map((value, i) => (i ? divisors[4] : value)),
      )
      const scaled = floatsOf(original.get(proj)!).map((value, i) => value * divisors[i % divisors.length]!)
      const { bytes } = small.get(proj)!
      const expected = quantizeRows(scaled, divisors.length, dtype, '')
      deepEqual(bytes, new Uint8Array(expected.codes.buffer))
    })

    it(`${dtype}: codes can be loaded as floats`, async () => {
      const model = synthFiles()
      const small = await quantized(model, dtype)
      const own = await embedWith(small)
      for (const [i, values] of (await embedWith(small, 'f32')).entries()) assertClose(values, own[i]!, 1e-6, 'f32')
      for (const [i, values] of (await embedWith(small, 'f16')).entries()) assertClose(values, own[i]!, 2e-3, 'f16')
    })
  }

  it('codes of one kind are not rounded to the other', async () => {
    const message = (from: string, to: string) => new RegExp(`is stored as ${from} and cannot be loaded as ${to}: `)
    for (const [from, to] of [['q8', 'q12'] as const, ['q12', 'q8'] as const]) {
      const small = await quantized(synthFiles(), from)
      await rejects(load(small, { device, dtype: to }), { code: 'INVALID_ARGUMENT', message: message(from, to) })
      for (const dtype of ['q8', 'q12', 'f16'] as const) {
        await rejects(
          quantize(small, { dtype }, () => {}),
          { code: 'UNSUPPORTED_MODEL', message: new RegExp(`is ${from} already: expected the original weights`) },
        )
      }
    }
  })

  it('memory: q8 takes a little over a quarter of f32, q12 a little over half', async () => {
    const model = synthFiles()
    const weights: Record<string, number> = {}
    for (const dtype of ['f32', 'q12', 'q8'] as const) {
      using clip = await load(model, { device, dtype })
      weights[dtype] = clip.memory().weights
    }
    ok(weights.q12! < 0.6 * weights.f32!, JSON.stringify(weights))
    ok(weights.q8! < 0.5 * weights.f32!, JSON.stringify(weights)) // half of the tiny model is its table
  })

  it('names what the model does not use and leaves it out, reports progress', async () => {
    const model = await changed(synthFiles(), (tensors) => {
      tensors.set('text_model.alibi', { dtype: 'I64', shape: [1], bytes: new Uint8Array(8) })
    })
    const seen: Progress[] = []
    let written = 0
    const result = await quantize(model, { dtype: 'q8', onProgress: (progress) => seen.push(progress) }, (piece) => {
      written += piece.length
    })
    deepEqual(result, { before: model.weights.length, after: written, unused: ['text_model.alibi'] })
    ok(seen.every(({ done, stage }, i) => stage === 'quantize' && done > (seen[i - 1]?.done ?? 0)))
    deepEqual([seen.at(-1)!.done, seen.at(-1)!.total], [written, written])
  })

  it('an abort and a failing write come through', async () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    const options = { dtype: 'q8', signal: controller.signal } as const
    await rejects(
      quantize(synthFiles(), options, () => controller.abort(reason)),
      reason,
    )
    await rejects(
      quantize(synthFiles(), { dtype: 'q8' }, () => Promise.reject(reason)),
      reason,
    )
    await rejects(
      quantize(synthFiles(), { dtype: 'int4' as 'q8' }, () => {}),
      { code: 'INVALID_ARGUMENT' },
    )
  })

  describe('weights that codes cannot stand for', () => {
    for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      for (const [name, width] of [
        [wqkv, hidden],
        [proj, hidden],
        [word, hidden],
        [patch, 768],
        ['vision_model.norm.bias', 1],
      ] as const) {
        it(`${value} in ${name}: refused with tensor and row, on the fly and by quantize`, async () => {
          const model = await changed(synthFiles(), (tensors) => {
            floatsOf(tensors.get(name)!)[5 * width] = value
          })
          for (const dtype of ['q8', 'q12'] as const) {
            const text = `tensor ${name} has NaN or infinity in row 5: codes need finite weights; use dtype f32 or f16`
            const expected = { code: 'NOT_FINITE', message: new RegExp(text.replaceAll('.', '\\.')) }
            await rejects(load(model, { device, dtype }), expected)
            await rejects(
              quantize(model, { dtype }, () => {}),
              expected,
            )
          }
          ;(await load(model, { device, dtype: 'f16' })).dispose()
        })
      }
    }

    it('numbers past float16 in what is stored as such', async () => {
      const model = await changed(synthFiles(), (tensors) => {
        floatsOf(tensors.get(word)!)[3 * hidden + 1] = -70_000
      })
      const message = new RegExp(`tensor ${word.replaceAll('.', '\\.')} has -70000 in row 3: float16 holds up to 65504`)
      await rejects(load(model, { device, dtype: 'q8' }), { code: 'NOT_FINITE', message })
      for (const dtype of ['f16', 'q12', 'q8'] as const) {
        await rejects(
          quantize(model, { dtype }, () => {}),
          { code: 'NOT_FINITE', message },
        )
      }
    })
  })

  describe('activations that are no finite numbers', () => {
    /** Token 5 stays zero in the first layer; of any other token, queries pass float32. */
    const model = () =>
      changed(synthFiles(), (tensors) => {
        const table = floatsOf(tensors.get(word)!)
        table.fill(0, 5 * hidden, 6 * hidden)
        for (const name of ['emb_ln.bias', 'embeddings.token_type_embeddings.weight']) {
          floatsOf(tensors.get(`text_model.transformer.${name}`)!).fill(0)
        }
        for (const [name, largest] of [
          [wqkv, 3e38],
          [proj, 1.2e38],
        ] as const) {
          const matrix = floatsOf(tensors.get(name)!)
          const factor = largest / matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
          for (let i = 0; i < matrix.length; i++) matrix[i]! *= factor
        }
      })
    const message = /^its activations pass float32 or what q8 can scale: load the model with dtype f32 or f16$/

    it('become the item’s error, and the others come out', async () => {
      using clip = await load(await model(), { device, dtype: 'q8' })
      const texts = [{ tokens: [5, 5] }, { tokens: [7, 8] }, { tokens: [5] }]
      const kept = await clip.encodeText(texts, { onError: 'keep' })
      deepEqual([...kept.errors.keys()], [1])
      equal(kept.errors.get(1)!.code, 'NOT_FINITE')
      ok(message.test(kept.errors.get(1)!.message), kept.errors.get(1)!.message)
      ok(kept.row(0).every(Number.isFinite) && kept.row(1).every(Number.isNaN) && kept.row(2).every(Number.isFinite))
      deepEqual([kept.usage[1], kept.usage[2]?.tokens], [undefined, 1])
      await rejects(clip.encodeText(texts), { code: 'NOT_FINITE', message: /^text 1 of 3: its activations/ })
      await rejects(clip.encodeText(texts[1]!), { code: 'NOT_FINITE', message })
    })

    it('also in pieces of a long text, and in pictures', async () => {
      using clip = await load(await model(), { device, dtype: 'q8' })
      const long = { tokens: [5, 5, 5, 5, 5, 5, 7, 5, 5, 5] }
      const settings = { maxTokens: 4, onLongText: 'chunk-mean', onError: 'keep' } as const
      const kept = await clip.encodeText([long, { tokens: [5] }], settings)
      deepEqual([...kept.errors.keys()], [0])
      ok(kept.row(0).every(Number.isNaN) && kept.row(1).every(Number.isFinite))
      const images = await clip.encodeImage([picture], { onError: 'keep' })
      equal(images.errors.get(0)?.code, 'NOT_FINITE')
      await rejects(clip.encodeImage([picture, picture]), { code: 'NOT_FINITE', message: /^image 0 of 2: / })
    })

    it('floats show them as they come', async () => {
      using clip = await load(await model(), { device, dtype: 'f32' })
      const result = await clip.encodeText([{ tokens: [7, 8] }])
      ok(result.row(0).some(Number.isNaN))
      equal(result.errors.size, 0)
    })
  })

  it('codes and scales back to floats: as far from the original as half a step', () => {
    const values = Float32Array.from({ length: 3 * 130 }, (_, i) => Math.sin(i * i) * 2 ** ((i % 9) - 4))
    for (const [precision, largest] of [['q8', 127] as const, ['q12', 2047] as const]) {
      const made = quantizeRows(values, 130, precision, '')
      const back = dequantizeRows(made, 130)
      const halfStep = made.scales.reduce((most, scale) => Math.max(most, scale), 0) / 2
      assertClose(back, values, halfStep * 1.0001, precision)
      ok(made.codes.some((code) => Math.abs(code) === largest))
    }
    const halves = new Uint16Array(2)
    convert('f32', Float32Array.of(65_519, 65_520), 'f16', halves)
    deepEqual([...halves], [0x7bff, 0x7c00])
  })
})
