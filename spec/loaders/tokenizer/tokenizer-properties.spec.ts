import assert from 'node:assert/strict'
import fc from 'fast-check'
import { createTokenizer } from '../../../loaders/tokenizer/tokenizer.ts'
import { bertJson, rustCases, shapesJson, type TokenizerJson } from './data.ts'
import { createSlowTokenizer } from './slow-tokenizer.ts'

/** Where tokenizers go wrong: ranges of code points, and texts that are cut up and joined again. */
const ranges: [number, number][] = [
  [0x00, 0x7f], // ASCII
  [0x80, 0x24f], // Latin, soft hyphen, NEL, no-break space
  [0x300, 0x36f], // combining marks
  [0x370, 0x3ff], // Greek, sigmas
  [0x400, 0x4ff], // Cyrillic
  [0x591, 0x6ed], // Hebrew and Arabic marks of many classes
  [0x8d0, 0x8ff], // marks newer than the tables among older ones
  [0x900, 0xd4d], // Indic signs that are kept, deleted or decomposed
  [0x1100, 0x11ff], // jamo
  [0x1ab0, 0x1aff], // marks of several versions
  [0x1dc0, 0x1dff],
  [0x1e00, 0x1fff], // precomposed Latin and Greek
  [0x2000, 0x206f], // spaces, format characters, punctuation
  [0x2c00, 0x2cff], // Glagolitic, Coptic
  [0x3000, 0x30ff], // U+302E, kana, voiced marks
  [0x4e00, 0x4e20], // ideographs
  [0xac00, 0xd7a3], // Hangul
  [0xd800, 0xdfff], // lone surrogates, and pairs by chance
  [0xf900, 0xfaff], // compatibility ideographs
  [0xfb00, 0xfb4f], // ligatures, Hebrew presentation forms
  [0x10400, 0x1044f], // Deseret
  [0x11380, 0x113d0], // decomposed by newer versions of Unicode only
  [0x1d150, 0x1d180], // musical symbols: kept marks
  [0x2b730, 0x2ceb0], // around the end of the known ideographs
  [0x1f600, 0x1f64f], // emoji
  [0x0, 0x10ffff],
]
const fragments = [
  '[CLS]',
  '[SEP]',
  '[MASK]',
  '[PAD]',
  '[UNK]',
  '[',
  'CLS',
  ']',
  '[C',
  '##',
  'ing',
  'hello',
  'İ',
  'ı',
  'ΑΣ',
]
const chosen = [
  '\u00df',
  '\u1e9e',
  '\u0149',
  '\u01c5',
  '\ufb01',
  '\u212b',
  '\u034f',
  '\u0345',
  '\u{1d165}',
  '\u302e',
  ' ',
]

const character = fc.oneof(...ranges.map(([min, max]) => fc.integer({ min, max }).map((p) => String.fromCodePoint(p))))
const awkwardText = fc
  .array(fc.oneof({ weight: 4, arbitrary: character }, fc.constantFrom(...fragments), fc.constantFrom(...chosen)), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''))
const anyText = fc.oneof(awkwardText, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }))

/** The vocabulary grows by each character of the ranges, so that order and case show and little is unknown. */
function withCharacters(json: TokenizerJson): TokenizerJson {
  const { vocab, continuing_subword_prefix: prefix } = json.model
  let id = Math.max(...Object.values(vocab), ...json.added_tokens.map((token) => token.id)) + 1
  for (const [first, last] of ranges.slice(0, -1)) {
    if (first === 0xac00 || first === 0xd800) continue
    for (let point = first; point <= last; point++) {
      for (const word of [String.fromCodePoint(point), prefix + String.fromCodePoint(point)]) vocab[word] ??= id++
    }
  }
  return json
}

describe('tokenizer, any text', () => {
  const tokenizers: [string, TokenizerJson][] = [
    ['jina-clip-v1', bertJson()],
    ['shapes', shapesJson()],
    ...rustCases().map(({ name, tokenizer }): [string, TokenizerJson] => [name, withCharacters(tokenizer)]),
  ]

  for (const [name, json] of tokenizers) {
    it(`${name}: the same pieces as the slow one`, () => {
      const fast = createTokenizer(json)
      const slow = createSlowTokenizer(json)
      fc.assert(
        fc.property(anyText, (text) => assert.deepEqual([...fast.pieces(text)], slow(text))),
        { numRuns: name === 'uncased' ? 1500 : 300 },
      )
    })
  }

  it('the same pieces as the slow one for long runs of marks', () => {
    const json = withCharacters(rustCases()[0]!.tokenizer)
    const fast = createTokenizer(json)
    const slow = createSlowTokenizer(json)
    const mark = fc.constantFrom(
      ...[
        '\u{1d165}',
        '\u{1d16d}',
        '\u302e',
        '\u1b44',
        '\u0bcd',
        '\u0e39',
        '\u0300',
        '\u0316',
        '\u034f',
        '\u08d3',
        '\u0345',
      ],
    )
    fc.assert(
      fc.property(fc.array(mark, { maxLength: 140 }), fc.array(mark, { maxLength: 10 }), (marks, more) => {
        const text = `a${marks.join('')}b${more.join('')}`
        assert.deepEqual([...fast.pieces(text)], slow(text))
      }),
      { numRuns: 500 },
    )
  })

  describe('encode', () => {
    const bert = createTokenizer(bertJson())

    it('gives ids of the vocabulary between [CLS] and [SEP]', () => {
      fc.assert(
        fc.property(anyText, (text) => {
          const { ids, truncated, total } = bert.encode(text)
          assert.ok(ids instanceof Int32Array)
          assert.equal(ids[0], 101)
          assert.equal(ids.at(-1), 102)
          for (const id of ids) assert.notEqual(bert.token(id), undefined)
          assert.deepEqual(ids.slice(1, -1), bert.pieces(text))
          assert.deepEqual({ truncated, total }, { truncated: false, total: ids.length })
        }),
      )
    })

    it('with maxTokens gives the first pieces, then [SEP]', () => {
      fc.assert(
        fc.property(anyText, fc.integer({ min: 2, max: 80 }), (text, maxTokens) => {
          const whole = bert.encode(text).ids
          const { ids, truncated, total } = bert.encode(text, { maxTokens })
          const kept = Math.min(whole.length, maxTokens)
          assert.deepEqual([...ids], [...whole.slice(0, kept - 1), 102])
          assert.deepEqual({ truncated, total }, { truncated: whole.length > maxTokens, total: whole.length })
        }),
      )
    })

    it('of two texts with a space between has the pieces of both', () => {
      fc.assert(
        fc.property(anyText, anyText, (a, b) => {
          assert.deepEqual([...bert.pieces(`${a} ${b}`)], [...bert.pieces(a), ...bert.pieces(b)])
        }),
      )
    })
  })
})
