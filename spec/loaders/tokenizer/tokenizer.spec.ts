import assert from 'node:assert/strict'
import { createTokenizer } from '../../../loaders/tokenizer/tokenizer.ts'
import { BareclipError } from '../../../runtime/errors.ts'
import { bertBatches, bertCases, bertJson, bertText, rustCases, shapesJson, vocabularyLines } from './data.ts'

const bert = createTokenizer(bertText())

describe('tokenizer', () => {
  describe('against the Rust tokenizer', () => {
    const tags = new Map<string, ReturnType<typeof bertCases>>()
    for (const example of bertCases()) tags.set(example.tag, [...(tags.get(example.tag) ?? []), example])
    for (const [tag, examples] of tags) {
      it(`jina-clip-v1, ${tag}: ${examples.length} texts`, () => {
        for (const { text, ids } of examples) {
          const encoding = bert.encode(text)
          assert.deepEqual([...encoding.ids], ids, JSON.stringify(text))
          assert.equal(encoding.truncated, false)
          assert.equal(encoding.total, ids.length)
          assert.deepEqual([...bert.pieces(text)], ids.slice(1, -1))
        }
      })
    }

    it('batches: cut to the same ids, of which the attention mask says the number', () => {
      const whole = (text: string) => bert.encode(text).ids.length
      for (const { texts, max_length, input_ids, attention_mask } of bertBatches()) {
        texts.forEach((text, row) => {
          const { ids, truncated, total } = bert.encode(text, { maxTokens: max_length })
          const tokens = attention_mask[row]!.filter((bit) => bit === 1).length
          assert.deepEqual([...ids], input_ids[row]!.slice(0, tokens))
          assert.equal(total, whole(text))
          assert.equal(truncated, total > tokens)
        })
      }
    })

    for (const { name, tokenizer, cases } of rustCases()) {
      it(`${name}: ${cases.length} awkward texts over a vocabulary of awkward characters`, () => {
        const { encode } = createTokenizer(tokenizer)
        for (const [text, ids] of cases) assert.deepEqual([...encode(text).ids], ids, JSON.stringify(text))
      })
    }
  })

  describe('special tokens', () => {
    it('have the ids of jina-clip-v1', () => {
      assert.deepEqual(bert.ids, { pad: 0, unknown: 100, cls: 101, sep: 102, mask: 103 })
      assert.equal(bert.vocabularySize, 30528)
    })

    it('have the ids of the file, not fixed ones', () => {
      const shapes = createTokenizer(shapesJson())
      assert.deepEqual(shapes.ids, { pad: 0, unknown: 1, cls: 2, sep: 3, mask: 4 })
      assert.equal(shapes.vocabularySize, 363)
      const { ids } = shapes.encode('[MASK]\u4e00!')
      assert.deepEqual(Array.from(ids, shapes.token), ['[CLS]', '[MASK]', '[UNK]', '!', '[SEP]'])
    })

    it('an empty text is [CLS] [SEP]', () => {
      assert.deepEqual([...createTokenizer(shapesJson()).encode('').ids], [2, 3])
      assert.equal(bert.pieces('').length, 0)
    })

    it('need no [MASK]', () => {
      const json = bertJson()
      json.added_tokens = json.added_tokens.filter((token) => token.content !== '[MASK]')
      delete json.model.vocab['[MASK]']
      const tokenizer = createTokenizer(json)
      assert.equal(tokenizer.ids.mask, undefined)
      assert.deepEqual(Array.from(tokenizer.pieces('[MASK]'), tokenizer.token), ['[', 'mask', ']'])
    })

    it('BertProcessing names [CLS] and [SEP] too', () => {
      const json = bertJson()
      json.post_processor = { type: 'BertProcessing', sep: ['[SEP]', 102], cls: ['[CLS]', 101] }
      assert.deepEqual([...createTokenizer(json).encode('hello world').ids], [101, 7592, 2088, 102])
    })

    it('an added token may lie outside the vocabulary', () => {
      const json = bertJson()
      json.added_tokens.push({ id: 40000, content: '<clip>', special: true })
      const tokenizer = createTokenizer(json)
      assert.equal(tokenizer.vocabularySize, 40001)
      assert.equal(tokenizer.token(40000), '<clip>')
      assert.deepEqual([...tokenizer.pieces('a<clip>b')], [1037, 40000, 1038])
    })
  })

  it('an added token may hold characters beyond U+FFFF, which are read whole', () => {
    const json = bertJson()
    json.normalizer.clean_text = false
    for (const content of ['\u{1f600}b', '\u{1f600}']) {
      json.added_tokens.push({ id: 40000 + content.length, content, special: true })
    }
    const { pieces } = createTokenizer(json)
    assert.deepEqual([...pieces('a\u{1f600}ba\u{1f600}\u{1f600}a')], [1037, 40003, 1037, 40002, 40002, 1037])
  })

  describe('token(id)', () => {
    it('is the line of vocab.txt', () => {
      const lines = vocabularyLines()
      assert.equal(lines.length, bert.vocabularySize)
      assert.deepEqual(
        lines.filter((line, id) => bert.token(id) !== line),
        [],
      )
    })

    it('is undefined where there is no entry', () => {
      for (const id of [-1, 30528, 0.5, Number.NaN, 1e300]) assert.equal(bert.token(id), undefined)
    })
  })

  describe('maxTokens', () => {
    const text = 'one two three'

    const expectations: [number | undefined, number[], boolean][] = [
      [undefined, [101, 2028, 2048, 2093, 102], false],
      [2, [101, 102], true],
      [3, [101, 2028, 102], true],
      [4, [101, 2028, 2048, 102], true],
      [5, [101, 2028, 2048, 2093, 102], false],
      [6, [101, 2028, 2048, 2093, 102], false],
      [2 ** 40, [101, 2028, 2048, 2093, 102], false],
    ]
    for (const [maxTokens, ids, truncated] of expectations) {
      it(`${maxTokens}: ${ids.length} of 5 tokens`, () => {
        const encoding = bert.encode(text, { maxTokens })
        assert.deepEqual({ ...encoding, ids: [...encoding.ids] }, { ids, truncated, total: 5 })
      })
    }

    it('cuts within a word, and a word that turns out unknown is one token in the total', () => {
      assert.deepEqual([...bert.encode('photosynthesis', { maxTokens: 4 }).ids], [101, 7760, 6038, 102])
      const encoding = bert.encode(`hello photosynthes\u0378 world`, { maxTokens: 3 })
      assert.deepEqual({ ...encoding, ids: [...encoding.ids] }, { ids: [101, 7592, 102], truncated: true, total: 5 })
      assert.deepEqual([...bert.encode(`photosynthes\u0378`, { maxTokens: 3 }).ids], [101, 100, 102])
    })

    const refused: [unknown, string][] = [
      [1, '1'],
      [0, '0'],
      [-5, '-5'],
      [2.5, '2.5'],
      [Number.NaN, 'NaN'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
      ['3', '"3"'],
      [null, 'null'],
    ]
    for (const [maxTokens, got] of refused) {
      it(`${got} is refused`, () => {
        assert.throws(() => bert.encode(text, { maxTokens: maxTokens as number }), {
          name: 'BareclipError',
          code: 'INVALID_ARGUMENT',
          message: `maxTokens must be an integer of at least 2 ([CLS] and [SEP]), got ${got}`,
        })
      })
    }
  })

  describe('input that is no string', () => {
    const inputs: [unknown, string][] = [
      [undefined, 'undefined'],
      [null, 'null'],
      [7, '7'],
      [['a', 'b'], 'an array of 2'],
      [new String('a'), 'an object (String)'],
      [new Uint8Array(2), 'an object (Uint8Array)'],
      [() => 'a', 'a function'],
    ]
    for (const [input, got] of inputs) {
      it(`${got} is refused by encode and pieces`, () => {
        const expected = { code: 'INVALID_INPUT', message: `the text to tokenize must be a string, got ${got}` }
        assert.throws(() => bert.encode(input as string), expected)
        assert.throws(() => bert.pieces(input as string), expected)
      })
    }

    it('leaves the tokenizer as it was', () => {
      assert.throws(() => bert.encode(1 as unknown as string), BareclipError)
      assert.deepEqual([...bert.encode('hello world').ids], [101, 7592, 2088, 102])
    })
  })

  describe('lone surrogates', () => {
    const halves = ['\ud800', '\udbff', '\udc00', '\udfff', '\ude00\ud83d']
    for (const half of halves) {
      it(`${JSON.stringify(half)} is deleted within a word, alone and at the end`, () => {
        assert.deepEqual([...bert.pieces(`hel${half}lo`)], [7592])
        assert.deepEqual([...bert.pieces(half)], [])
        assert.deepEqual([...bert.pieces(`hello${half}`)], [7592])
      })
    }

    it('are no part of the pair beside them', () => {
      assert.deepEqual([...bert.pieces('\ud83d\ud83d\ude00\ude00 hello')], [100, 7592])
    })
  })
})
