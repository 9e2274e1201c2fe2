import { BareclipError, describe, messageOf } from '../../runtime/errors.ts'

export interface NormalizerSettings {
  readonly cleanText: boolean
  readonly handleChineseChars: boolean
  readonly stripAccents: boolean
  readonly lowercase: boolean
}

/** What a tokenizer.json says, checked. */
export interface TokenizerSettings {
  readonly normalizer: NormalizerSettings
  readonly vocabulary: ReadonlyMap<string, number>
  /** The reverse, added tokens included. */
  readonly tokens: ReadonlyMap<number, string>
  /** Literal texts that are tokens wherever they stand. */
  readonly addedTokens: ReadonlyMap<string, number>
  readonly unknownToken: string
  readonly continuingPrefix: string
  /** In code points; a longer word is unknown as a whole. */
  readonly maxWordLength: number
  readonly cls: Named
  readonly sep: Named
}

/** A token as the post processor names it. */
export interface Named {
  readonly content: string
  readonly id: number
}

type Json = Readonly<Record<string, unknown>>

/** Bounds the work per code point, whatever the file says. */
const LONGEST_WORD = 1000
const LONGEST_ADDED_TOKEN = 256
const LARGEST_ID = 2 ** 31 - 2
const ID = `an integer from 0 to ${LARGEST_ID}`

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LARGEST_ID
}

/**
 * Reads the Hugging Face format: BertNormalizer, BertPreTokenizer, WordPiece, TemplateProcessing or BertProcessing.
 * `truncation`, `padding` and `decoder` are not looked at.
 */
export function readSettings(json: unknown, name: string): TokenizerSettings {
  const invalid = (key: string, expected: string, got: unknown) =>
    new BareclipError('INVALID_TOKENIZER', `${name}: ${key} must be ${expected}, got ${describe(got)}`)
  const unsupported = (key: string, supported: string, got: unknown) =>
    new BareclipError(
      'UNSUPPORTED_TOKENIZER',
      `${name}: ${key} is ${describe(got)}; only ${supported} is supported (a BERT WordPiece tokenizer)`,
    )

  function parse(): unknown {
    if (typeof json !== 'string') return json
    try {
      return JSON.parse(json)
    } catch (cause) {
      throw new BareclipError('INVALID_TOKENIZER', `${name} is not JSON (fetch it again): ${messageOf(cause)}`, {
        cause,
      })
    }
  }

  function object(value: unknown, key: string): Json {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(key, 'an object', value)
    return value as Json
  }

  /** A part of the given type; another type, or none, is another tokenizer. */
  function part(key: string, types: readonly string[]): Json {
    const supported = types.map((type) => `"${type}"`).join(' or ')
    const absent = root[key] === undefined || root[key] === null
    if (absent && key !== 'model') throw unsupported(key, `one of type ${supported}`, root[key])
    const value = object(root[key], key)
    if (!types.includes(value.type as string)) throw unsupported(`${key}.type`, supported, value.type)
    return value
  }

  function text(value: unknown, key: string): string {
    if (typeof value !== 'string') throw invalid(key, 'a string', value)
    if (/\p{Surrogate}/u.test(value)) throw invalid(key, 'text without lone surrogates', value)
    return value
  }

  function id(value: unknown, key: string): number {
    if (!isId(value)) throw invalid(key, ID, value)
    return value
  }

  function flag(owner: Json, key: string, path: string, missing: boolean): boolean {
    const value = owner[key] ?? missing
    if (typeof value !== 'boolean') throw invalid(`${path}.${key}`, 'true or false', value)
    return value
  }

  function readNormalizer(): NormalizerSettings {
    const normalizer = part('normalizer', ['BertNormalizer'])
    const lowercase = flag(normalizer, 'lowercase', 'normalizer', true)
    return {
      cleanText: flag(normalizer, 'clean_text', 'normalizer', true),
      handleChineseChars: flag(normalizer, 'handle_chinese_chars', 'normalizer', true),
      stripAccents: flag(normalizer, 'strip_accents', 'normalizer', lowercase),
      lowercase,
    }
  }

  /** Fills `tokens`. */
  function readVocabulary(model: Json): Map<string, number> {
    const vocabulary = new Map<string, number>()
    const words = object(model.vocab, 'model.vocab')
    for (const word of Object.keys(words)) {
      const value = words[word]
      if (!isId(value)) throw invalid(`model.vocab[${describe(word)}]`, ID, value)
      const known = tokens.get(value)
      if (known !== undefined) {
        throw invalid(`model.vocab[${describe(word)}]`, `an id of its own, not that of ${describe(known)}`, value)
      }
      tokens.set(value, text(word, 'a word of model.vocab'))
      vocabulary.set(word, value)
    }
    return vocabulary
  }

  /** Adds to `tokens`. */
  function readAddedTokens(vocabulary: ReadonlyMap<string, number>): Map<string, number> {
    const list = root.added_tokens ?? []
    if (!Array.isArray(list)) throw invalid('added_tokens', 'an array', list)
    const added = new Map<string, number>()
    list.forEach((entry: unknown, index) => {
      const key = `added_tokens[${index}]`
      const token = object(entry, key)
      const content = text(token.content, `${key}.content`)
      if (content === '') throw invalid(`${key}.content`, 'a string that is not empty', content)
      if (content.length > LONGEST_ADDED_TOKEN) {
        throw unsupported(`${key}.content`, `a string of at most ${LONGEST_ADDED_TOKEN} characters`, content)
      }
      const value = id(token.id, `${key}.id`)
      const special = flag(token, 'special', key, false)
      for (const option of ['single_word', 'lstrip', 'rstrip', 'normalized']) {
        if (flag(token, option, key, option === 'normalized' && !special)) {
          throw unsupported(`${key}.${option} of ${describe(content)}`, 'false', true)
        }
      }
      const listed = added.get(content) ?? vocabulary.get(content) ?? value
      if (listed !== value) throw invalid(`${key}.id`, `${listed}, the id of ${describe(content)} elsewhere`, value)
      const other = tokens.get(value) ?? content
      if (other !== content) throw invalid(`${key}.id`, `an id of its own, not that of ${describe(other)}`, value)
      tokens.set(value, content)
      added.set(content, value)
    })
    return added
  }

  /** Only `[CLS] $A [SEP]`. */
  function readTemplate(post: Json): { cls: Named; sep: Named } {
    const single = post.single
    if (!Array.isArray(single)) throw invalid('post_processor.single', 'an array', single)
    const steps = single.map((step: unknown, index) => object(step, `post_processor.single[${index}]`))
    const [first, middle, last] = steps
    const sequence = middle?.Sequence as Json | undefined
    if (steps.length !== 3 || !first?.SpecialToken || sequence?.id !== 'A' || !last?.SpecialToken) {
      const shape = steps.map((step) => Object.keys(step).join('+')).join(' ')
      throw unsupported('post_processor.single', '"SpecialToken Sequence SpecialToken" with sequence A', shape)
    }
    const special = object(post.special_tokens, 'post_processor.special_tokens')
    const named = (step: Json, index: number): Named => {
      const owner = object(step.SpecialToken, `post_processor.single[${index}].SpecialToken`)
      const content = text(owner.id, `post_processor.single[${index}].SpecialToken.id`)
      const key = `post_processor.special_tokens[${describe(content)}]`
      const ids = object(special[content], key).ids
      if (!Array.isArray(ids)) throw invalid(`${key}.ids`, 'an array', ids)
      if (ids.length !== 1) throw unsupported(`${key}.ids`, 'an array of 1', ids)
      return { content, id: id(ids[0], `${key}.ids[0]`) }
    }
    return { cls: named(first, 0), sep: named(last, 2) }
  }

  function readBertProcessing(post: Json): { cls: Named; sep: Named } {
    const named = (key: string): Named => {
      const pair = post[key]
      if (!Array.isArray(pair) || pair.length !== 2) throw invalid(`post_processor.${key}`, 'an array of 2', pair)
      return { content: text(pair[0], `post_processor.${key}[0]`), id: id(pair[1], `post_processor.${key}[1]`) }
    }
    return { cls: named('cls'), sep: named('sep') }
  }

  const root = object(parse(), 'the file')
  if ((root.version ?? '1.0') !== '1.0') throw unsupported('version', '"1.0"', root.version)
  const model = part('model', ['WordPiece'])
  const normalizer = readNormalizer()
  part('pre_tokenizer', ['BertPreTokenizer'])
  const post = part('post_processor', ['TemplateProcessing', 'BertProcessing'])
  const tokens = new Map<number, string>()
  const vocabulary = readVocabulary(model)
  const addedTokens = readAddedTokens(vocabulary)
  const { cls, sep } = post.type === 'BertProcessing' ? readBertProcessing(post) : readTemplate(post)
  for (const token of [cls, sep]) {
    const listed = addedTokens.get(token.content) ?? vocabulary.get(token.content)
    const key = `post_processor's ${describe(token.content)}`
    if (listed === undefined) throw invalid(key, 'a token of added_tokens or model.vocab', token.id)
    if (listed !== token.id) throw invalid(key, `${listed} as in added_tokens or model.vocab`, token.id)
  }
  const unknownToken = text(model.unk_token, 'model.unk_token')
  if (!vocabulary.has(unknownToken)) throw invalid('model.unk_token', 'a word of model.vocab', unknownToken)
  const maxWordLength = id(model.max_input_chars_per_word ?? 100, 'model.max_input_chars_per_word')
  if (maxWordLength > LONGEST_WORD) {
    throw unsupported('model.max_input_chars_per_word', `at most ${LONGEST_WORD}`, maxWordLength)
  }
  return {
    normalizer,
    vocabulary,
    tokens,
    addedTokens,
    unknownToken,
    continuingPrefix: text(model.continuing_subword_prefix ?? '##', 'model.continuing_subword_prefix'),
    maxWordLength,
    cls,
    sep,
  }
}
