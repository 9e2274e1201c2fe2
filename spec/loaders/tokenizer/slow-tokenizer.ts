import { type RustTables, rustTables, type TokenizerJson, type UnicodeTables, unicodeTables } from './data.ts'

/**
 * The steps of BERT's tokenizer one after the other over arrays of code points, on the probed tables: to be read, and
 * to be compared with. Quadratic.
 */
export function createSlowTokenizer(json: TokenizerJson): (text: string) => number[] {
  const { normalizer, model } = json
  const vocabulary = new Map(Object.entries(model.vocab))
  const stripAccents = normalizer.strip_accents ?? normalizer.lowercase

  /** Splits at the added tokens: the leftmost first, of several there the longest. */
  function split(text: string): (string | number)[] {
    const hits = json.added_tokens
      .map((token) => ({ ...token, at: text.indexOf(token.content) }))
      .filter((token) => token.at >= 0)
      .sort((a, b) => a.at - b.at || b.content.length - a.content.length)
    const hit = hits[0]
    return hit ? [text.slice(0, hit.at), hit.id, ...split(text.slice(hit.at + hit.content.length))] : [text]
  }

  function normalize(text: string): number[] {
    let points = Array.from(text, (character) => character.codePointAt(0)!)
    if (normalizer.clean_text) {
      points = points.filter((point) => !is('removed', point)).map((point) => (is('to_space', point) ? 0x20 : point))
    }
    if (normalizer.handle_chinese_chars) {
      points = points.flatMap((point) => (is('cjk_padded', point) ? [0x20, point, 0x20] : [point]))
    }
    if (stripAccents) points = nfd(points).filter((point) => !is('mark_removed', point))
    return normalizer.lowercase ? points.flatMap((point) => lower().get(point) ?? [point]) : points
  }

  function wordsOf(points: number[]): number[][] {
    const words: number[][] = [[]]
    for (const point of points) {
      if (is('pre_whitespace', point)) words.push([])
      else if (is('punctuation', point)) words.push([point], [])
      else words.at(-1)!.push(point)
    }
    return words.filter((word) => word.length > 0)
  }

  function pieces(word: number[]): number[] {
    const unknown = [vocabulary.get(model.unk_token)!]
    if (word.length > model.max_input_chars_per_word) return unknown
    const ids: number[] = []
    for (let start = 0; start < word.length; ) {
      const prefix = start > 0 ? model.continuing_subword_prefix : ''
      let end = word.length
      const id = () => vocabulary.get(prefix + String.fromCodePoint(...word.slice(start, end)))
      while (end > start && id() === undefined) end--
      if (end === start) return unknown
      ids.push(id()!)
      start = end
    }
    return ids
  }

  return (text) =>
    split(text.replace(/\p{Surrogate}/gu, '\ufffd')).flatMap((part) =>
      typeof part === 'number' ? [part] : wordsOf(normalize(part)).flatMap(pieces),
    )
}

let unicode: Record<keyof UnicodeTables, Set<number>> | undefined
let rust: { decomposing: Set<number>; classes: Map<number, number>; lower: Map<number, number[]> } | undefined

const pointsOf = (rows: readonly (readonly number[])[]) =>
  rows.flatMap(([first, last]) => Array.from({ length: last! - first! + 1 }, (_, i) => first! + i))

function is(name: keyof UnicodeTables, point: number): boolean {
  unicode ??= Object.fromEntries(
    Object.entries(unicodeTables()).map(([key, ranges]) => [key, new Set(pointsOf(ranges))]),
  ) as Record<keyof UnicodeTables, Set<number>>
  return unicode[name].has(point)
}

function probed() {
  if (rust) return rust
  const tables: RustTables = rustTables()
  rust = {
    decomposing: new Set(pointsOf(tables.decomposing)),
    classes: new Map(tables.combining.flatMap((row) => pointsOf([row]).map((point) => [point, row[2]] as const))),
    lower: new Map(tables.lower.map(([point, ...lowered]) => [point!, lowered])),
  }
  return rust
}

export const lower = () => probed().lower
export const combiningClass = (point: number) => probed().classes.get(point) ?? 0

export function decompose(point: number): number[] {
  if (!probed().decomposing.has(point)) return [point]
  return Array.from(String.fromCodePoint(point).normalize('NFD'), (character) => character.codePointAt(0)!)
}

/** Full decomposition, then the canonical ordering by exchanging neighbours (Unicode Standard, section 3.11). */
function nfd(text: number[]): number[] {
  const points = text.flatMap(decompose)
  for (let sorted = 0; sorted < points.length; sorted++) {
    for (let i = sorted; i > 0; i--) {
      const after = combiningClass(points[i]!)
      if (after === 0 || combiningClass(points[i - 1]!) <= after) break
      points.splice(i - 1, 2, points[i]!, points[i - 1]!)
    }
  }
  return points
}
