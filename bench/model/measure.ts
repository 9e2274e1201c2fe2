import { encodeImage } from '../../clip/encode-image.ts'
import { encodeText } from '../../clip/encode-text.ts'
import type { Engine } from '../../clip/engine.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { type BenchCase, caseImages, caseTokens, tokensOf } from '../cases.ts'
import { type ProcessMemory, processMemory } from '../machine.ts'
import { type Spread, spread, timed } from '../statistics.ts'
import { createProfile, flopsOf, observed, type Profile } from './profile.ts'

export interface CaseReport {
  readonly name: string
  readonly texts: number
  readonly tokens: number
  readonly images: number
  /** Of the call, in milliseconds; for images, resizing and normalising included. */
  readonly ms: Spread
  /** Of the same call where attention leaves no keys out; undefined where it never does. */
  readonly msWhole?: Spread
  readonly tokensPerSecond?: number
  readonly imagesPerSecond?: number
  /** Of the recorded operations by their formulas: what attention leaves out is counted. */
  readonly flops: number
  readonly gflopsPerSecond: number
  /** Undefined on a device that cannot time single commands. */
  readonly profile?: Profile & {
    /** Of the profiled call. It is slower than `ms`: threads meet after every command. */
    readonly ms: number
  }
  /** After the case. */
  readonly memory: ProcessMemory & { readonly scratch: number }
}

/** Whether attention looks at every key, from the next call on. */
export interface AttentionSwitch {
  whole: boolean
}

export interface MeasureOptions {
  readonly runs: number
  readonly signal?: AbortSignal | undefined
  /** Undefined on a device that has no such choice. */
  readonly attention?: AttentionSwitch | undefined
}

/** Attention works in blocks of 64 keys and leaves out none of a few. */
const leavesFrom = 512

/** Calls are short enough to be profiled more than once, and the fastest taken. */
const shortMs = 1000

export async function measureCase(
  engine: Engine,
  item: BenchCase,
  { runs, signal, attention }: MeasureOptions,
): Promise<CaseReport> {
  const call = callOf(item, engine, signal)
  let flops = 0
  await call(
    observed(engine, {
      onPass(commands) {
        flops += commands.reduce((sum, command) => sum + flopsOf(command), 0)
      },
    }),
  )
  const both = attention && item.lengths.some((length) => length >= leavesFrom) ? attention : undefined
  const times: number[] = []
  const whole: number[] = []
  for (let run = 0; run < runs; run++) {
    times.push(await timed(() => call(engine)))
    if (!both) continue
    both.whole = true
    try {
      whole.push(await timed(() => call(engine)))
    } finally {
      both.whole = false
    }
  }
  const ms = spread(times)
  const profile = await profiled(engine, call, ms.median < shortMs ? 3 : 1)
  const tokens = tokensOf(item)
  const perSecond = (count: number) => (count * 1000) / ms.median
  return {
    name: item.name,
    texts: item.lengths.length,
    tokens,
    images: item.images,
    ms,
    ...(both && { msWhole: spread(whole) }),
    ...(tokens > 0 && { tokensPerSecond: perSecond(tokens) }),
    ...(item.images > 0 && { imagesPerSecond: perSecond(item.images) }),
    flops,
    gflopsPerSecond: flops / ms.median / 1e6,
    ...(profile && { profile }),
    memory: { ...processMemory(), scratch: engine.device.memory().scratch },
  }
}

/** → embeds the case with the engine that is given. Throws UNSUPPORTED_MODEL. */
function callOf(
  item: BenchCase,
  { model }: Engine,
  signal: AbortSignal | undefined,
): (engine: Engine) => Promise<unknown> {
  if (item.images === 0) {
    const texts = caseTokens(item, model.text)
    return (engine) => encodeText(engine, texts, { signal })
  }
  if (!model.vision) {
    throw new BareclipError(
      'UNSUPPORTED_MODEL',
      `case ${item.name}: this model has no vision tower, it embeds text only`,
    )
  }
  const pictures = caseImages(item, model.vision.imageSize)
  return (engine) => encodeImage(engine, pictures, { signal })
}

/** The fastest of `runs` calls. */
async function profiled(
  engine: Engine,
  call: (engine: Engine) => Promise<unknown>,
  runs: number,
): Promise<CaseReport['profile']> {
  let best: CaseReport['profile']
  for (let run = 0; run < runs; run++) {
    const profile = createProfile()
    const ms = await timed(() => call(observed(engine, { onCommand: profile.add })))
    const { operations, parts } = profile.result()
    if (operations.length > 0 && (!best || ms < best.ms)) best = { ms, operations, parts }
  }
  return best
}
