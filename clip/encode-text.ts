import { l2Normalize } from '../kernels/l2-normalize/l2-normalize.ts'
import { normalized } from '../kernels/l2-normalize/reference.ts'
import { raggedBatch } from '../runtime/batch.ts'
import { BareclipError } from '../runtime/errors.ts'
import { macrotask } from '../runtime/macrotask.ts'
import { type Embeddings, embeddingsBuilder, firstColumns, type TextUsage } from './embeddings.ts'
import { type Engine, runPass } from './engine.ts'
import { type ItemError, itemError, requireFinite } from './item-error.ts'
import { type EncodeSettings, encodeSettings, invalid, oneOf, type TextOptions, textOptionNames } from './options.ts'
import { planText, type Sequence, type TextInput, type TextPlan } from './sequences.ts'

/** A sequence and the text it belongs to. */
interface Part extends Sequence {
  readonly text: number
  /** One of several sequences of its text. */
  readonly chunk: boolean
}

export type TextEmbeddings = Embeddings<TextUsage>

export async function encodeText(
  engine: Engine,
  input: TextInput | readonly TextInput[],
  options: TextOptions = {},
): Promise<TextEmbeddings> {
  const { text: tower, dimensions: fallback } = engine.model
  const settings = encodeSettings(options, textOptionNames, tower.hidden, fallback)
  const { maxTokens = 8192, onLongText = 'truncate', signal, onProgress } = options
  if (!Number.isInteger(maxTokens) || maxTokens < 2) throw invalid('maxTokens', 'an integer from 2', maxTokens)
  oneOf('onLongText', onLongText, ['truncate', 'error', 'chunk-mean'])
  signal?.throwIfAborted()

  const texts = Array.isArray(input) ? (input as readonly TextInput[]) : [input as TextInput]
  const plans = await planTexts(engine, texts, { maxTokens, onLongText }, settings, signal)
  const builder = embeddingsBuilder<TextUsage>(texts.length, settings.dimensions)
  const parts: Part[] = plans.flatMap((plan, text) => {
    if (plan instanceof BareclipError) {
      builder.fail(text, plan)
      return []
    }
    return plan.sequences.map((sequence) => ({ ...sequence, text, chunk: plan.sequences.length > 1 }))
  })

  const total = parts.reduce((sum, { ids }) => sum + ids.length, 0)
  const report = (done: number) => onProgress?.({ stage: 'text', done, total, unit: 'tokens' })
  const averages = new Map<number, { sum: Float64Array; tokens: number }>()
  let done = 0
  for (const pass of passesOf(parts, engine.passTokens)) {
    const tokens = pass.reduce((sum, { ids }) => sum + ids.length, 0)
    const { embedded, pooled } = await embedPass(engine, pass, settings, signal, (share) =>
      report(done + share * tokens),
    )
    pass.forEach(({ text, chunk, ids }, row) => {
      const width = chunk ? tower.hidden : settings.dimensions
      const vector = (chunk ? pooled : embedded).subarray(row * width, (row + 1) * width)
      try {
        requireFinite(engine.dtype, vector)
        if (chunk) accumulate(averages, text, vector, ids.length)
        else builder.set(text, vector, usageOf(plans[text]))
      } catch (error) {
        builder.fail(text, itemError({ kind: 'text', index: text, of: texts.length, onError: settings.onError }, error))
      }
    })
    done += tokens
  }
  for (const [text, { sum, tokens }] of averages) {
    if (builder.result.errors.has(text)) continue
    const mean = Float32Array.from(sum.subarray(0, settings.dimensions), (value) => value / tokens)
    builder.set(text, settings.normalize ? normalized(mean) : mean, usageOf(plans[text]))
  }
  report(total)
  return builder.result
}

function usageOf(plan: TextPlan | BareclipError | undefined): TextUsage {
  if (!plan || plan instanceof BareclipError) throw new TypeError('only planned texts are embedded')
  return plan.usage
}

/** Longest time between two macrotasks while texts are tokenized, in milliseconds. */
const sliceMs = 20

async function planTexts(
  { tokenizer, model }: Engine,
  texts: readonly TextInput[],
  long: Parameters<typeof planText>[3],
  { onError }: EncodeSettings,
  signal: AbortSignal | undefined,
): Promise<(TextPlan | BareclipError)[]> {
  const plans: (TextPlan | BareclipError)[] = []
  let slice = performance.now()
  for (const [i, text] of texts.entries()) {
    try {
      plans.push(planText(text, tokenizer, model.text, long))
    } catch (error) {
      plans.push(itemError({ kind: 'text', index: i, of: texts.length, onError } satisfies ItemError, error))
    }
    if (performance.now() - slice > sliceMs) {
      await macrotask()
      signal?.throwIfAborted()
      slice = performance.now()
    }
  }
  return plans
}

/** Cuts the sequences, in order, into passes of at most `budget` tokens; a longer one stands alone. */
function* passesOf(parts: readonly Part[], budget: number): Generator<readonly Part[]> {
  let pass: Part[] = []
  let tokens = 0
  for (const part of parts) {
    if (pass.length > 0 && tokens + part.ids.length > budget) {
      yield pass
      pass = []
      tokens = 0
    }
    pass.push(part)
    tokens += part.ids.length
  }
  if (pass.length > 0) yield pass
}

/** → embedded (sequences, dimensions) as the caller wants it; pooled (sequences, hidden), empty unless chunks need it */
async function embedPass(
  engine: Engine,
  pass: readonly Part[],
  { dimensions, normalize }: EncodeSettings,
  signal: AbortSignal | undefined,
  onProgress: (share: number) => void,
): Promise<{ embedded: Float32Array; pooled: Float32Array }> {
  const tower = engine.model.text
  const batch = raggedBatch(pass.map(({ positions }) => positions))
  const ids = new Int32Array(batch.tokens)
  pass.forEach((part, s) => {
    ids.set(part.ids, batch.offsets[s]!)
  })
  const raw = !normalize || pass.some(({ chunk }) => chunk)
  const [first, second] = await runPass(
    engine,
    (scope) => {
      const pooled = tower.record(scope, ids, batch)
      return normalize ? [l2Normalize(scope, pooled, dimensions), ...(raw ? [pooled] : [])] : [pooled]
    },
    { signal, onProgress },
  )
  const pooled = raw ? ((normalize ? second : first) as Float32Array) : new Float32Array(0)
  const embedded = normalize ? (first as Float32Array) : firstColumns(pooled, tower.hidden, dimensions)
  return { embedded, pooled }
}

/** pooled: (hidden), the mean over `tokens` tokens of one chunk of the text */
function accumulate(
  averages: Map<number, { sum: Float64Array; tokens: number }>,
  text: number,
  pooled: Float32Array,
  tokens: number,
): void {
  const average = averages.get(text) ?? { sum: new Float64Array(pooled.length), tokens: 0 }
  pooled.forEach((value, i) => {
    average.sum[i]! += value * tokens
  })
  average.tokens += tokens
  averages.set(text, average)
}
