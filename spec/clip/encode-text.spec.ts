import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { type Clip, load, type TextInput } from '../../index.ts'
import { assertClose } from '../close.ts'

describe('encodeText', () => {
  let clip: Clip
  before(async () => {
    clip = await load()
  })
  after(() => clip.dispose())

  const length = (row: Float32Array) => Math.sqrt(row.reduce((sum, value) => sum + value * value, 0))

  it('one text or a list, one row each, of length 1', async () => {
    const one = await clip.encodeText('a red circle')
    const two = await clip.encodeText(['a red circle', 'a blue star'])
    equal(one.rows, 1)
    equal(two.rows, 2)
    equal(two.dimensions, clip.info.dimensions)
    deepEqual(one.row(0), two.row(0))
    assertClose([length(two.row(1))], [1], 1e-6, 'length')
    deepEqual(two.usage, [
      { tokens: 5, truncated: false },
      { tokens: 5, truncated: false },
    ])
    equal(two.errors.size, 0)
  })

  it('an empty list is no rows', async () => {
    const none = await clip.encodeText([])
    equal(none.rows, 0)
    equal(none.data.length, 0)
    let throws = false
    try {
      none.row(0)
    } catch (error) {
      throws = error instanceof RangeError
    }
    ok(throws)
  })

  it('empty text, white space and characters that are deleted are [CLS] [SEP]', async () => {
    const { cls, sep } = clip.tokenizer.ids
    const texts = ['', '   ', '\n\t', '\ud800', '\u0000', { tokens: [cls, sep] }]
    const result = await clip.encodeText(texts)
    for (let i = 1; i < texts.length; i++) deepEqual(result.row(i), result.row(0), JSON.stringify(texts[i]))
    equal(result.usage[0]!.tokens, 2)
    ok(result.row(0).every(Number.isFinite))
  })

  it('[PAD] keeps its place and takes no part', async () => {
    const { pad, cls, sep } = clip.tokenizer.ids
    const [circle] = clip.tokenizer.pieces('circle')
    const result = await clip.encodeText([
      'circle [PAD] circle',
      { tokens: [cls, circle!, pad, circle!, sep] },
      { tokens: [cls, circle!, pad, circle!, sep, pad, pad] },
      'circle circle',
      '[PAD]',
    ])
    deepEqual(result.row(1), result.row(0))
    deepEqual(result.row(2), result.row(0))
    ok(result.row(3).some((value, i) => value !== result.row(0)[i]))
    ok(result.row(4).every(Number.isFinite))
  })

  it('the same bits alone, in any batch and in passes of any size', async () => {
    const texts = Array.from({ length: 40 }, (_, i) => `${'a large red circle left of a star '.repeat(i % 7)}${i}`)
    const together = await clip.encodeText(texts)
    const reversed = await clip.encodeText([...texts].reverse())
    using small = await load(undefined, { passTokens: 50 })
    const inPasses = await small.encodeText(texts)
    deepEqual(inPasses.data, together.data)
    for (const i of [0, 6, 17, 39]) {
      deepEqual((await clip.encodeText(texts[i]!)).row(0), together.row(i), `text ${i}`)
      deepEqual(reversed.row(39 - i), together.row(i), `text ${i}`)
    }
  })

  it('overlapping calls queue and do not disturb each other', async () => {
    const texts = ['a red circle', 'two blue stars', 'a green arrow on white', 'three pink hearts']
    const alone = await clip.encodeText(texts)
    const results = await Promise.all(texts.map((text) => clip.encodeText(text)))
    results.forEach((result, i) => {
      deepEqual(result.row(0), alone.row(i))
    })
  })

  describe('options', () => {
    it('dimensions: the first d components, then normalised', async () => {
      const raw = await clip.encodeText('a red circle', { normalize: false })
      const cut = await clip.encodeText('a red circle', { dimensions: 32 })
      const norm = length(raw.row(0).subarray(0, 32))
      equal(cut.dimensions, 32)
      assertClose(
        cut.row(0),
        raw
          .row(0)
          .subarray(0, 32)
          .map((value) => value / norm),
        1e-7,
        'cut',
      )
      const rawCut = await clip.encodeText(['a red circle', 'x'], { dimensions: 5, normalize: false })
      deepEqual(rawCut.row(0), raw.row(0).slice(0, 5))
    })

    it('maxTokens keeps the first pieces and [SEP], and says so', async () => {
      const { cls, sep } = clip.tokenizer.ids
      const text = 'a red circle above a blue star'
      const result = await clip.encodeText(text, { maxTokens: 5 })
      const tokens = [cls, ...clip.tokenizer.pieces(text).subarray(0, 3), sep]
      deepEqual(result.row(0), (await clip.encodeText({ tokens })).row(0))
      deepEqual(result.usage, [{ tokens: 5, truncated: true }])
    })

    it("onLongText 'error' names both numbers", async () => {
      await rejects(clip.encodeText('a red circle above a blue star', { maxTokens: 5, onLongText: 'error' }), {
        code: 'TEXT_TOO_LONG',
        message:
          "the text has 9 tokens, more than maxTokens 5: raise maxTokens, or set onLongText to 'truncate' or 'chunk-mean'",
      })
    })

    it("onLongText 'chunk-mean': the token-weighted mean of the chunks' pooled vectors, then normalised", async () => {
      const { cls, sep } = clip.tokenizer.ids
      const text = 'a red circle above a blue star on a gray background'
      const pieces = clip.tokenizer.pieces(text)
      const chunks = [0, 4, 8].map((at) => [cls, ...pieces.subarray(at, at + 4), sep])
      const pooled = await clip.encodeText(
        chunks.map((tokens) => ({ tokens })),
        { normalize: false },
      )
      const total = chunks.reduce((sum, { length }) => sum + length, 0)
      const mean = pooled
        .row(0)
        .map((_, i) => chunks.reduce((sum, { length }, c) => sum + (pooled.row(c)[i]! * length) / total, 0))
      const norm = length(mean)
      const options = { maxTokens: 6, onLongText: 'chunk-mean' } as const
      const result = await clip.encodeText(['a star', text], options)
      assertClose(
        result.row(1),
        mean.map((value) => value / norm),
        1e-6,
        'chunk-mean',
      )
      deepEqual(result.usage[1], { tokens: total, truncated: false })
      deepEqual(result.row(0), (await clip.encodeText('a star')).row(0))
      assertClose((await clip.encodeText(text, { ...options, normalize: false })).row(0), mean, 1e-5, 'raw')
      using small = await load(undefined, { passTokens: 6 })
      deepEqual((await small.encodeText(text, options)).row(0), result.row(1))
    })

    it('long token lists are cut, chunked or refused in the same way', async () => {
      const tokens = [2, 40, 41, 42, 43, 3]
      const cut = await clip.encodeText({ tokens }, { maxTokens: 4 })
      deepEqual(cut.row(0), (await clip.encodeText({ tokens: tokens.slice(0, 4) })).row(0))
      deepEqual(cut.usage, [{ tokens: 4, truncated: true }])
      await rejects(clip.encodeText({ tokens }, { maxTokens: 4, onLongText: 'error' }), { code: 'TEXT_TOO_LONG' })
      const chunked = await clip.encodeText({ tokens }, { maxTokens: 4, onLongText: 'chunk-mean' })
      deepEqual(chunked.usage, [{ tokens: 6, truncated: false }])
    })

    it('reports progress that never falls and ends at the total', async () => {
      const seen: number[] = []
      let total = 0
      await clip.encodeText(
        Array.from({ length: 300 }, () => 'a red circle above a blue star'),
        {
          onProgress(progress) {
            equal(progress.stage, 'text')
            equal(progress.unit, 'tokens')
            seen.push(progress.done)
            total = progress.total
          },
        },
      )
      equal(total, 2700)
      equal(seen.at(-1), total)
      ok(seen.every((value, i) => i === 0 || value >= seen[i - 1]!))
    })
  })

  describe('bad input', () => {
    const items: [input: unknown, message: RegExp][] = [
      [null, /a text should be a string or \{ tokens: \[ids\] \}, found null/],
      [undefined, /found undefined/],
      [42, /found 42/],
      [{}, /found an object \(Object\)/],
      [{ tokens: 'abc' }, /found tokens: "abc"/],
      [{ tokens: [] }, /no tokens to embed/],
      [{ tokens: [0, 0] }, /no tokens to embed/],
      [{ tokens: [1.5] }, /token 0 should be an integer from 0 to 362 \(the vocabulary\), found 1\.5/],
      [{ tokens: [2, -1] }, /token 1 should be/],
      [{ tokens: [2, 363] }, /found 363/],
      [{ tokens: [2, '3'] }, /found "3"/],
      [{ tokens: [Number.NaN] }, /found NaN/],
      [{ tokens: new BigInt64Array([2n]) }, /found 2n/],
    ]
    for (const [input, message] of items) {
      it(`${String(message)}`, async () => {
        await rejects(clip.encodeText([input as TextInput]), { code: 'INVALID_INPUT', message })
      })
    }

    it('names the item among several', async () => {
      await rejects(clip.encodeText(['fine', 7 as unknown as string, 'fine']), {
        code: 'INVALID_INPUT',
        message: 'text 1 of 3: a text should be a string or { tokens: [ids] }, found 7',
      })
    })

    it("onError 'keep': the others come out, the bad row is NaN", async () => {
      const inputs = ['a red circle', null as unknown as string, 'a blue star']
      const result = await clip.encodeText(inputs, { onError: 'keep' })
      deepEqual(result.row(0), (await clip.encodeText('a red circle')).row(0))
      deepEqual(result.row(2), (await clip.encodeText('a blue star')).row(0))
      ok(result.row(1).every(Number.isNaN))
      deepEqual([...result.errors.keys()], [1])
      equal(result.errors.get(1)!.code, 'INVALID_INPUT')
      equal(result.usage[1], undefined)
    })

    const options: [options: object, message: string][] = [
      [{ dimensions: 0 }, 'dimensions should be an integer from 1 to 128, found 0'],
      [{ dimensions: 129 }, 'dimensions should be an integer from 1 to 128, found 129'],
      [{ dimensions: 1.5 }, 'dimensions should be an integer from 1 to 128, found 1.5'],
      [{ maxTokens: 1 }, 'maxTokens should be an integer from 2, found 1'],
      [{ onLongText: 'cut' }, "onLongText should be 'truncate' or 'error' or 'chunk-mean', found \"cut\""],
      [{ onError: 'ignore' }, "onError should be 'throw' or 'keep', found \"ignore\""],
      [{ normalize: 'yes' }, 'normalize should be true or false, found "yes"'],
      [{ signal: 1 }, 'signal should be an AbortSignal, found 1'],
      [{ onProgress: true }, 'onProgress should be a function, found true'],
      [{ maxTokens: 2, onLongText: 'chunk-mean' }, "maxTokens should be at least 3 with onLongText 'chunk-mean'"],
    ]
    for (const [bad, message] of options) {
      it(message, async () => {
        await rejects(clip.encodeText('a red circle', bad), { code: 'INVALID_ARGUMENT', message })
      })
    }

    it('an option that does not exist', async () => {
      await rejects(clip.encodeText('a', { maxtokens: 3 } as object), {
        code: 'INVALID_ARGUMENT',
        message: /there is no option maxtokens; there are dimensions, /,
      })
    })

    it('a megabyte of text is cut and says so', async () => {
      const result = await clip.encodeText('a red circle '.repeat(80_000), { maxTokens: 64 })
      deepEqual(result.usage, [{ tokens: 64, truncated: true }])
    })
  })
})
