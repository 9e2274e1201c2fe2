/** The parts of a WordPiece tokenizer.json that cutting it touches. */
interface TokenizerJson {
  readonly added_tokens: ReadonlyArray<{ readonly id: number; readonly content: string }>
  readonly model: { readonly vocab: Readonly<Record<string, number>> }
}

/**
 * A tokenizer.json for an embedding table of `size` rows: text must give no id beyond it. With a vocabulary that large
 * already, the tokenizer as it is.
 *
 * The first ids of the BERT vocabulary are unused ones, so cutting it there would turn every word into [UNK]. Special
 * tokens keep their ids; the other places go, in order, to the printable ASCII characters, the same as continuations, and
 * the most common of the other ASCII tokens. So any ASCII text still splits into known pieces.
 */
export function cutTokenizer<T extends TokenizerJson>(tokenizer: T, size: number): T {
  const { added_tokens, model } = tokenizer
  const byId = Object.entries(model.vocab).sort(([, a], [, b]) => a - b)
  if (byId.length <= size) return tokenizer
  const special = new Map(added_tokens.map(({ id, content }) => [id, content]))
  const tokens = byId.map(([token]) => token).filter((token) => /^[!-~]+$/.test(token) && !/^\[.+\]$/.test(token))
  const single = tokens.filter((token) => token.length === 1)
  const continued = tokens.filter((token) => /^##.$/.test(token))
  const rest = tokens.filter((token) => token.length > 1 && !/^##.$/.test(token))
  const ordinary = [...single, ...continued, ...rest][Symbol.iterator]()
  const vocab: Record<string, number> = {}
  for (let id = 0; id < size; id++) {
    const token = special.get(id) ?? ordinary.next().value
    if (token !== undefined) vocab[token] = id
  }
  return { ...tokenizer, model: { ...model, vocab } }
}
