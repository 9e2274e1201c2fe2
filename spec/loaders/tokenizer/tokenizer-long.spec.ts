import assert from 'node:assert/strict'
import { createTokenizer } from '../../../loaders/tokenizer/tokenizer.ts'
import { bertText, rustCases } from './data.ts'

const CLS = 101
const SEP = 102
const UNKNOWN = 100

/** Each takes hours where time or memory grows with the square of the length. */
describe('tokenizer, long texts', function () {
  this.timeout(20_000)
  const bert = createTokenizer(bertText())

  const texts: [string, string, number, (number | undefined)[]][] = [
    // what, text, number of pieces, the first of them
    ['10 MB in one word', 'a'.repeat(10_000_000), 1, [UNKNOWN]],
    ['10 MB that become one word', 'a\u200b'.repeat(2_500_000), 1, [UNKNOWN]],
    ['deleted marks of two classes in turn', `a${'\u0315\u0300'.repeat(250_000)}`, 1, [1037]],
    ['kept marks of two classes in turn', `a${'\u302e\u{1d165}'.repeat(150_000)}`, 1, [UNKNOWN]],
    ['marks of a later Unicode version', `a${'\u08d3\u0898'.repeat(200_000)}`, 1, [UNKNOWN]],
    ['kept marks in turn, in many words', `${'\u302e\u{1d165}'.repeat(50)} `.repeat(3000), 3000, [UNKNOWN]],
    ['special tokens', '[CLS]'.repeat(200_000), 200_000, [CLS, CLS]],
    ['beginnings of special tokens', '[CLS'.repeat(250_000), 750_000, [1031, 18856, 2015]],
    ['brackets', '['.repeat(1_000_000), 1_000_000, [1031, 1031]],
    ['ideographs', '\u4e2d'.repeat(333_333), 333_333, [1746]],
    ['spaces', ' '.repeat(1_000_000), 0, []],
    ['letters with accents', 'a\u0301\u0316'.repeat(200_000), 1, [UNKNOWN]],
    ['accented letters in words', '\u00e0\u1ea5 '.repeat(200_000), 200_000, [9779]],
    ['Hangul', '\uac01'.repeat(333_333), 1, [UNKNOWN]],
    ['words of the greatest length', `${'a'.repeat(100)} `.repeat(10_000), 500_000, [13360, 11057]],
    ['words that end unmatched', `${'a'.repeat(99)}\u0378 `.repeat(10_000), 10_000, [UNKNOWN]],
    ['lone surrogates', '\ud800'.repeat(400_000), 0, []],
    ['controls', '\0\x07\ufeff'.repeat(200_000), 0, []],
  ]
  for (const [what, text, count, first] of texts) {
    it(`${what}: ${count} pieces`, () => {
      const { ids, truncated, total } = bert.encode(text, { maxTokens: 512 })
      assert.equal(total, count + 2)
      assert.equal(truncated, total > 512)
      assert.equal(ids.length, Math.min(total, 512))
      assert.deepEqual([...ids.slice(1, 1 + first.length)], first)
      assert.deepEqual([ids[0], ids.at(-1)], [CLS, SEP])
      assert.equal(bert.pieces(text).length, count)
    })
  }

  it('every code point there is', () => {
    let text = ''
    for (let point = 0; point <= 0x10ffff; point++) text += String.fromCodePoint(point)
    assert.ok(bert.pieces(text).length > 70_000)
  })

  it('a text that nearly is an added token of the greatest length, again and again', () => {
    const { tokenizer } = rustCases()[0]!
    const content = `${'x'.repeat(255)}y`
    tokenizer.added_tokens.push({ id: 90_000, content, special: true })
    const { pieces } = createTokenizer(tokenizer)
    assert.equal(pieces('x'.repeat(200_000)).length, 1)
    assert.deepEqual([...pieces(content)], [90_000])
  })
})
