import { readFileSync } from 'node:fs'

/** A tokenizer.json, as far as the specs look into it. */
export interface TokenizerJson {
  added_tokens: { id: number; content: string; [option: string]: unknown }[]
  normalizer: {
    type: string
    clean_text: boolean
    handle_chinese_chars: boolean
    strip_accents: boolean | null
    lowercase: boolean
  }
  model: {
    type: string
    unk_token: string
    continuing_subword_prefix: string
    max_input_chars_per_word: number
    vocab: Record<string, number>
  }
  [key: string]: unknown
}

export type Range = readonly [first: number, last: number]

/** The sets of spec/fixtures/tokenizer/unicode-tables.json. */
export interface UnicodeTables {
  removed: Range[]
  to_space: Range[]
  cjk_padded: Range[]
  mark_removed: Range[]
  punctuation: Range[]
  pre_whitespace: Range[]
}

/** What oracle.py probed besides. */
export interface RustTables {
  decomposing: Range[]
  combining: (readonly [first: number, last: number, combining: number])[]
  /** Code point, then its lower case. */
  lower: number[][]
}

export interface RustCases {
  name: string
  tokenizer: TokenizerJson
  /** Text and its ids, [CLS] and [SEP] included. */
  cases: (readonly [text: string, ids: number[]])[]
}

const fixture = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
const lines = (path: string) =>
  fixture(path)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

export const bertText = () => fixture('../../fixtures/tokenizer/tokenizer.json')
export const bertJson = (): TokenizerJson => JSON.parse(bertText())
export const shapesJson = (): TokenizerJson => JSON.parse(fixture('../../../shapes/tokenizer.json'))
export const vocabularyLines = () => fixture('../../fixtures/tokenizer/vocab.txt').trimEnd().split('\n')
export const bertCases = (): { tag: string; text: string; ids: number[] }[] =>
  lines('../../fixtures/tokenizer/cases.jsonl')
export const bertBatches = (): {
  texts: string[]
  max_length: number
  input_ids: number[][]
  attention_mask: number[][]
}[] => JSON.parse(fixture('../../fixtures/tokenizer/batches.json'))
export const unicodeTables = (): UnicodeTables => JSON.parse(fixture('../../fixtures/tokenizer/unicode-tables.json'))
export const rustTables = (): RustTables => Object.assign({}, ...lines('fixtures/rust-tables.jsonl'))
export const rustCases = (): RustCases[] => lines('fixtures/rust-cases.jsonl')
