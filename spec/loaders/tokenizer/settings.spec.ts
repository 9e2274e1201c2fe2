import assert from 'node:assert/strict'
import { createTokenizer } from '../../../loaders/tokenizer/tokenizer.ts'
import { shapesJson, type TokenizerJson } from './data.ts'

type Change = (json: TokenizerJson & Record<string, never>) => void

function changed(change: Change): TokenizerJson {
  const json = shapesJson()
  change(json as TokenizerJson & Record<string, never>)
  return json
}

const special = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
const template = (...steps: unknown[]) => ({ type: 'TemplateProcessing', single: steps, special_tokens: {} })

describe('tokenizer.json', () => {
  describe('that is no tokenizer', () => {
    const files: [string, unknown, RegExp][] = [
      ['empty', '', /^my\.json is not JSON \(fetch it again\): /],
      ['cut off', '{"version":"1.0","mod', /^my\.json is not JSON \(fetch it again\): /],
      ['a web page', '<!doctype html>', /^my\.json is not JSON \(fetch it again\): /],
      ['null', 'null', /^my\.json: the file must be an object, got null$/],
      ['a number', '12', /^my\.json: the file must be an object, got 12$/],
      ['an array', '[1,2]', /^my\.json: the file must be an object, got an array of 2$/],
      ['a JSON string', '"x"', /^my\.json: the file must be an object, got "x"$/],
      ['undefined', undefined, /^my\.json: the file must be an object, got undefined$/],
      ['an empty object', {}, /^my\.json: model must be an object, got undefined$/],
    ]
    for (const [what, json, message] of files) {
      it(what, () => {
        assert.throws(() => createTokenizer(json, 'my.json'), {
          name: 'BareclipError',
          code: 'INVALID_TOKENIZER',
          message,
        })
      })
    }

    it('keeps the cause of a syntax error', () => {
      assert.throws(
        () => createTokenizer('{'),
        (error: Error) => error.cause instanceof SyntaxError && error.message.startsWith('tokenizer.json is not JSON '),
      )
    })
  })

  describe('with a mistake', () => {
    const mistakes: [string, Change][] = [
      ['model.vocab must be an object, got undefined', (t) => delete (t.model as Partial<typeof t.model>).vocab],
      ['model.vocab must be an object, got an array of 0', (t) => Object.assign(t.model, { vocab: [] })],
      ['model.vocab["a"] must be an integer from 0 to 2147483646, got 1.5', (t) => (t.model.vocab.a = 1.5)],
      ['model.vocab["a"] must be an integer from 0 to 2147483646, got -1', (t) => (t.model.vocab.a = -1)],
      ['model.vocab["a"] must be an integer from 0 to 2147483646, got 1e+300', (t) => (t.model.vocab.a = 1e300)],
      [
        'model.vocab["a"] must be an integer from 0 to 2147483646, got "7"',
        (t) => Object.assign(t.model.vocab, { a: '7' }),
      ],
      ['model.vocab["~~"] must be an id of its own, not that of "!", got 5', (t) => (t.model.vocab['~~'] = 5)],
      ['a word of model.vocab must be text without lone surrogates', (t) => (t.model.vocab['\ud800'] = 999)],
      ['model.unk_token must be a word of model.vocab, got "<unk>"', (t) => (t.model.unk_token = '<unk>')],
      ['model.unk_token must be a string, got undefined', (t) => delete (t.model as Partial<typeof t.model>).unk_token],
      [
        'model.continuing_subword_prefix must be a string, got 2',
        (t) => Object.assign(t.model, { continuing_subword_prefix: 2 }),
      ],
      ['model.max_input_chars_per_word must be an integer from 0', (t) => (t.model.max_input_chars_per_word = -1)],
      ['added_tokens must be an array, got an object (Object)', (t) => Object.assign(t, { added_tokens: {} })],
      ['added_tokens[1] must be an object, got null', (t) => Object.assign(t.added_tokens, { 1: null })],
      ['added_tokens[0].id must be an integer from 0', (t) => Object.assign(t.added_tokens[0]!, { id: '0' })],
      ['added_tokens[0].content must be a string that is not empty', (t) => (t.added_tokens[0]!.content = '')],
      ['added_tokens[0].content must be a string, got 5', (t) => Object.assign(t.added_tokens[0]!, { content: 5 })],
      ['added_tokens[0].lstrip must be true or false, got "no"', (t) => (t.added_tokens[0]!.lstrip = 'no')],
      ['added_tokens[0].id must be 0, the id of "[PAD]" elsewhere, got 9', (t) => (t.added_tokens[0]!.id = 9)],
      [
        'added_tokens[5].id must be an id of its own, not that of "!", got 5',
        (t) => t.added_tokens.push({ id: 5, content: '<x>', ...special }),
      ],
      [
        'added_tokens[6].id must be 900, the id of "<x>" elsewhere, got 901',
        (t) => t.added_tokens.push({ id: 900, content: '<x>', ...special }, { id: 901, content: '<x>', ...special }),
      ],
      ['normalizer must be an object, got "bert"', (t) => Object.assign(t, { normalizer: 'bert' })],
      [
        'normalizer.lowercase must be true or false, got "yes"',
        (t) => Object.assign(t.normalizer, { lowercase: 'yes' }),
      ],
      [
        'normalizer.strip_accents must be true or false, got 0',
        (t) => Object.assign(t.normalizer, { strip_accents: 0 }),
      ],
      [
        'post_processor.single must be an array, got undefined',
        (t) => Object.assign(t, { post_processor: { type: 'TemplateProcessing' } }),
      ],
      [
        'post_processor.special_tokens["[CLS]"] must be an object, got undefined',
        (t) => Object.assign(t.post_processor!, { special_tokens: {} }),
      ],
      [
        `post_processor's "[CLS]" must be 2 as in added_tokens or model.vocab, got 101`,
        (t) => Object.assign(t, { post_processor: { type: 'BertProcessing', cls: ['[CLS]', 101], sep: ['[SEP]', 3] } }),
      ],
      [
        `post_processor's "</s>" must be a token of added_tokens or model.vocab, got 3`,
        (t) => Object.assign(t, { post_processor: { type: 'BertProcessing', cls: ['[CLS]', 2], sep: ['</s>', 3] } }),
      ],
      [
        'post_processor.sep must be an array of 2, got undefined',
        (t) => Object.assign(t, { post_processor: { type: 'BertProcessing', cls: ['[CLS]', 2] } }),
      ],
      [
        '"[PAD]" must be in added_tokens or model.vocab',
        (t) => {
          t.added_tokens.shift()
          delete t.model.vocab['[PAD]']
        },
      ],
    ]
    for (const [message, change] of mistakes) {
      it(message, () => {
        assert.throws(
          () => createTokenizer(JSON.stringify(changed(change))),
          (error: Error & { code?: string }) => {
            assert.equal(error.code, 'INVALID_TOKENIZER')
            assert.ok(error.message.startsWith(`tokenizer.json: ${message}`), error.message)
            return true
          },
        )
      })
    }
  })

  describe('of another kind', () => {
    const kinds: [string, Change][] = [
      [
        'version is "2.0"; only "1.0" is supported (a BERT WordPiece tokenizer)',
        (t) => Object.assign(t, { version: '2.0' }),
      ],
      [
        'model.type is "BPE"; only "WordPiece" is supported (a BERT WordPiece tokenizer)',
        (t) => (t.model.type = 'BPE'),
      ],
      [
        'model.type is "Unigram"; only "WordPiece" is supported (a BERT WordPiece tokenizer)',
        (t) => (t.model.type = 'Unigram'),
      ],
      [
        'model.type is undefined; only "WordPiece" is supported (a BERT WordPiece tokenizer)',
        (t) => delete (t.model as Partial<typeof t.model>).type,
      ],
      [
        'model.max_input_chars_per_word is 100000; only at most 1000 is supported (a BERT WordPiece tokenizer)',
        (t) => (t.model.max_input_chars_per_word = 100000),
      ],
      [
        'normalizer is null; only one of type "BertNormalizer" is supported (a BERT WordPiece tokenizer)',
        (t) => Object.assign(t, { normalizer: null }),
      ],
      [
        'normalizer.type is "NFKC"; only "BertNormalizer" is supported (a BERT WordPiece tokenizer)',
        (t) => (t.normalizer.type = 'NFKC'),
      ],
      [
        'pre_tokenizer.type is "Metaspace"; only "BertPreTokenizer" is supported (a BERT WordPiece tokenizer)',
        (t) => Object.assign(t, { pre_tokenizer: { type: 'Metaspace' } }),
      ],
      [
        'pre_tokenizer is null; only one of type "BertPreTokenizer" is supported (a BERT WordPiece tokenizer)',
        (t) => Object.assign(t, { pre_tokenizer: null }),
      ],
      [
        'post_processor.type is "RobertaProcessing"; only "TemplateProcessing" or "BertProcessing" is supported (a BERT WordPiece tokenizer)',
        (t) => Object.assign(t, { post_processor: { type: 'RobertaProcessing' } }),
      ],
      [
        'post_processor.single is "Sequence"; only "SpecialToken Sequence SpecialToken" with sequence A is supported (a BERT WordPiece tokenizer)',
        (t) => Object.assign(t, { post_processor: template({ Sequence: { id: 'A' } }) }),
      ],
      [
        'post_processor.single is "SpecialToken Sequence SpecialToken"; only',
        (t) =>
          Object.assign(t, {
            post_processor: template(
              { SpecialToken: { id: '[CLS]' } },
              { Sequence: { id: 'B' } },
              { SpecialToken: { id: '[SEP]' } },
            ),
          }),
      ],
      [
        'post_processor.special_tokens["[CLS]"].ids is an array of 2; only an array of 1 is supported (a BERT WordPiece tokenizer)',
        (t) =>
          Object.assign(t.post_processor!, {
            special_tokens: { '[CLS]': { ids: [2, 2] }, '[SEP]': { ids: [3] } },
          }),
      ],
      ...['single_word', 'lstrip', 'rstrip', 'normalized'].map((option): [string, Change] => [
        `added_tokens[1].${option} of "[UNK]" is true; only false is supported (a BERT WordPiece tokenizer)`,
        (t) => (t.added_tokens[1]![option] = true),
      ]),
      [
        'added_tokens[5].normalized of "<x>" is true; only false is supported (a BERT WordPiece tokenizer)',
        (t) => t.added_tokens.push({ id: 900, content: '<x>' }),
      ],
      [
        `added_tokens[5].content is "${'x'.repeat(40)}…"; only a string of at most 256 characters is supported (a BERT WordPiece tokenizer)`,
        (t) => t.added_tokens.push({ id: 900, content: 'x'.repeat(257), ...special }),
      ],
    ]
    for (const [message, change] of kinds) {
      it(message, () => {
        assert.throws(
          () => createTokenizer(changed(change)),
          (error: Error & { code?: string }) => {
            assert.equal(error.code, 'UNSUPPORTED_TOKENIZER', error.message)
            assert.ok(error.message.startsWith(`tokenizer.json: ${message}`), error.message)
            return true
          },
        )
      })
    }
  })

  describe('that is fine', () => {
    const text = 'a red circle'
    const ids = createTokenizer(shapesJson()).encode(text).ids

    const harmless: [string, Change][] = [
      [
        'with truncation',
        (t) => Object.assign(t, { truncation: { max_length: 3, strategy: 'LongestFirst', stride: 0 } }),
      ],
      [
        'with padding',
        (t) => Object.assign(t, { padding: { strategy: { Fixed: 64 }, pad_id: 0, pad_token: '[PAD]' } }),
      ],
      ['without a decoder', (t) => Object.assign(t, { decoder: null })],
      ['with defaults left out', (t) => Object.assign(t, { normalizer: { type: 'BertNormalizer' } })],
      ['with a word that is an object property', (t) => (t.model.vocab = { ...t.model.vocab, ['__proto__']: 999 })],
    ]
    for (const [what, change] of harmless) {
      it(`${what} gives the same ids`, () => {
        assert.deepEqual(createTokenizer(JSON.stringify(changed(change))).encode(text).ids, ids)
      })
    }

    it('from text and from the parsed object is the same', () => {
      assert.deepEqual(createTokenizer(JSON.stringify(shapesJson())).encode(text).ids, ids)
    })
  })
})
