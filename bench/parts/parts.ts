import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errorOf, randomValues } from '../../kernels/case.ts'
import { encodeSafetensors } from '../../loaders/safetensors/write.ts'
import { type Computed, type Turns, takeTurns } from '../peers/compare.ts'
import { type Contender, type ContenderOptions, createContender, missingContender } from '../peers/contender.ts'
import { createStage, type Stage } from '../peers/stage.ts'
import { ratioOf, spread } from '../statistics.ts'
import type { Print } from '../table.ts'
import { type Part, type PartItem, partItems } from './items.ts'
import { partText } from './print.ts'
import type { PartReport, PartResult } from './report.ts'

export interface PartsOptions extends ContenderOptions {
  readonly parts: readonly Part[]
  readonly rounds: number
  readonly print: Print
}

export interface PartsReport {
  readonly parts: readonly PartReport[]
  /** By contender: what it says it is, or why it is missing. */
  readonly contenders: Readonly<Record<string, string>>
}

/** A contender, and what it can do. */
export interface PartContender {
  readonly contender: Contender<PartItem>
  readonly parts: readonly Part[]
}

const tensors: readonly Part[] = ['matmul', 'softmax', 'layer-norm']

/** name, package, program, argument, parts */
const others = [
  ['jax-js wasm', '@jax-js/jax', 'jax', '', tensors],
  ['tfjs wasm', '@tensorflow/tfjs-backend-wasm', 'tfjs', 'wasm', tensors],
  ['tfjs cpu', '@tensorflow/tfjs-backend-cpu', 'tfjs', 'cpu', tensors],
  ['gpu.js webasm', 'gpu.js', 'gpu', 'webasm', tensors],
  ['gpu.js cpu', 'gpu.js', 'gpu', 'cpu', tensors],
  ['npm safetensors', 'safetensors', 'files', 'safetensors', ['safetensors']],
  ['jpeg-js', 'jpeg-js', 'files', 'jpeg-js', ['jpeg']],
  ['pngjs', 'pngjs', 'files', 'pngjs', ['png']],
  ['@huggingface/tokenizers', '@huggingface/tokenizers', 'files', '@huggingface/tokenizers', ['tokenizer']],
] as const satisfies readonly (readonly [string, string, string, string, readonly Part[]])[]

/** Ours in its parts, each beside the packages that do the same; every contender a process of its own, in turn. */
export async function benchParts(options: PartsOptions): Promise<PartsReport> {
  const programs = ['ours', 'jax', 'tfjs', 'gpu', 'files'].map((name) => `../parts/${name}.ts`)
  const stage = await createStage(programs)
  const contenders = partContenders(stage, options)
  try {
    const checkpoint = join(stage.folder, 'checkpoint.safetensors')
    writeFileSync(checkpoint, someTensors())
    const items = partItems(checkpoint).filter(({ part }) => options.parts.includes(part))
    return await compareParts(items, contenders, options)
  } finally {
    for (const { contender } of contenders) await contender.stop()
    stage.dispose()
  }
}

/** Matrices of 13.8 MB in all; npm's package reads no `__metadata__`. */
function someTensors(): Uint8Array {
  const shape = [256, 280]
  const names = Array.from({ length: 48 }, (_, i) => `layers.${i}.weight`)
  return encodeSafetensors(
    names.map((name) => ({
      ...{ name, shape, dtype: 'F32' as const },
      bytes: () => new Uint8Array(randomValues(name, 256 * 280).buffer),
    })),
  )
}

function partContenders(stage: Stage, options: PartsOptions): PartContender[] {
  const make = (name: string, program: string, argument: string) => {
    const file = join(stage.folder, `${program}.mjs`)
    return createContender<PartItem>({ ...options, name, file, args: [argument] })
  }
  const modules = fileURLToPath(new URL('../peers/node_modules/', import.meta.url))
  return [
    {
      contender: make('ours', 'ours', `${options.threads}`),
      parts: [...tensors, ...others.flatMap(([, , , , parts]) => parts)],
    },
    ...others.map(([name, needed, program, argument, parts]) => ({
      contender: existsSync(join(modules, needed))
        ? make(name, program, argument)
        : missingContender<PartItem>(name, 'not installed: npm install --ignore-scripts --prefix bench/peers'),
      parts,
    })),
  ]
}

/** The first contender is ours. Prints each item as it is done. */
export async function compareParts(
  items: readonly PartItem[],
  contenders: readonly PartContender[],
  { rounds, print }: Pick<PartsOptions, 'rounds' | 'print'>,
): Promise<PartsReport> {
  const reports: PartReport[] = []
  const asked: Contender<PartItem>[] = []
  for (const item of items) {
    const able = contenders.filter(({ parts }) => parts.includes(item.part)).map(({ contender }) => contender)
    asked.push(...able)
    const turns = await takeTurns(item, able, { rounds }, (found, first) => complaintOf(item.part, found, first))
    const report = { part: item.part, name: item.name, contenders: resultsOf(item, turns) }
    reports.push(report)
    await print(partText(report))
  }
  const titles = new Set(asked)
  return {
    parts: reports,
    contenders: Object.fromEntries(
      [...titles].map(({ name, missing, title }) => [name, missing ?? title ?? 'no answer']),
    ),
  }
}

function resultsOf({ work, unit }: PartItem, turns: readonly Turns[]): PartResult[] {
  const [ours] = turns
  return turns.map((turn) => {
    const { name, times, failure } = turn
    if (failure !== undefined) return { name, failure }
    const ms = spread(times)
    const ratio = turn === ours ? undefined : ratioOf(ours!, turn)
    return { name, ms, rate: work / ms.median, unit, ...(ratio && { ratio }) }
  })
}

/** float32 sums in another order, exponentials included. */
const floatError = 2e-5

/** Levels of 255 on average: chroma may be blown up in other ways. */
const jpegLevels = 2

/** What is wrong with a result, beside ours. */
export function complaintOf(part: Part, found: Computed, first: Computed): string | undefined {
  const [got, want] = [found.rows?.[0], first.rows?.[0]]
  const wrong = (how: string) => `computes something else than ${first.name} (${how}), so it is not timed`
  if (!got || !want || got.length !== want.length) {
    return wrong(`${got?.length ?? 'no'} numbers, expected ${want?.length ?? 'some'}`)
  }
  switch (part) {
    case 'matmul':
    case 'softmax':
    case 'layer-norm': {
      const { error, at } = errorOf(got, want, want.length, 'tensor')
      return error <= floatError ? undefined : wrong(`element ${at}: ${got[at]}, ours ${want[at]}`)
    }
    case 'jpeg': {
      let sum = 0
      for (let i = 0; i < want.length; i++) sum += Math.abs(got[i]! - want[i]!)
      const levels = sum / want.length
      return levels <= jpegLevels ? undefined : wrong(`${levels.toFixed(1)} levels of 255 on average`)
    }
    default: {
      const at = Array.from(want).findIndex((value, i) => value !== got[i])
      return at < 0 ? undefined : wrong(`element ${at}: ${got[at]}, ours ${want[at]}`)
    }
  }
}
