import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BenchCase } from '../cases.ts'
import { softwareNote } from '../software.ts'
import type { Print } from '../table.ts'
import { type CaseComparison, compareCase, type Summary, summarise } from './compare.ts'
import { type Contender, type ContenderOptions, createContender, missingContender } from './contender.ts'
import { tooLarge } from './memory.ts'
import { comparisonText, summaryText } from './print.ts'
import { createStage, requireFullModel, type Stage } from './stage.ts'
import { type GpuPlace, webgpuContenders } from './webgpu.ts'

export const peerNames = [
  ...(['web-f32', 'node-f32', 'transformers-f32', 'web-q8', 'node-q8', 'transformers-q8'] as const),
  ...(['webgpu-f32', 'webgpu-f16'] as const),
] as const
export type PeerName = (typeof peerNames)[number]
export const dtypes = ['f32', 'f16', 'q12', 'q8'] as const
export type BenchDtype = (typeof dtypes)[number]

export interface PeersOptions extends ContenderOptions {
  readonly cases: readonly BenchCase[]
  readonly rounds: number
  readonly dtypes: readonly BenchDtype[]
  readonly peers: readonly PeerName[]
  /** For peers on WebGPU. */
  readonly places: readonly GpuPlace[]
  /** Try what memory will probably not do for. */
  readonly force: boolean
  readonly print: Print
}

export interface PeersReport {
  readonly cases: readonly CaseComparison[]
  readonly summaries: readonly Summary[]
  /** By contender: what it says it is, or why it is missing. */
  readonly contenders: Readonly<Record<string, string>>
}

/** Ours in each dtype against the peers. Throws MODEL_NOT_FOUND, INVALID_ARGUMENT. */
export async function benchPeers(folder: string, options: PeersOptions): Promise<PeersReport> {
  requireFullModel(folder)
  const onGpu = options.peers.filter((peer) => peer.startsWith('webgpu-'))
  const onProcessor = options.peers.filter((peer) => !peer.startsWith('webgpu-'))
  const stage = await createStage(
    ['ours.ts', 'onnx.ts', 'transformers.ts', 'chromium.ts'],
    folder,
    onGpu.length > 0 ? ['page.ts'] : [],
  )
  const groups: Group[] = []
  if (onProcessor.length > 0 || onGpu.length === 0) {
    groups.push({
      ours: options.dtypes.map((dtype) => oursContender(stage, folder, dtype, options)),
      peers: onProcessor.map((peer) => peerContender(stage, peer, options)),
    })
  }
  for (const place of onGpu.length > 0 ? options.places : []) {
    const pairs = onGpu.map((peer) =>
      webgpuContenders(stage, folder, place, peer === 'webgpu-f16' ? 'f16' : 'f32', options),
    )
    groups.push({ ours: pairs.map(({ ours }) => ours), peers: pairs.map(({ peer }) => peer) })
  }
  try {
    const reports: PeersReport[] = []
    for (const { ours, peers } of groups) {
      reports.push(await comparePeers(ours, peers, options))
      for (const one of [...ours, ...peers]) await one.stop()
    }
    return {
      cases: reports.flatMap(({ cases }) => cases),
      summaries: reports.flatMap(({ summaries }) => summaries),
      contenders: Object.assign({}, ...reports.map(({ contenders }) => contenders)),
    }
  } finally {
    for (const { ours, peers } of groups) for (const one of [...ours, ...peers]) await one.stop()
    stage.dispose()
  }
}

/** What is compared with each other: nothing on a GPU with anything elsewhere. */
interface Group {
  readonly ours: readonly Contender[]
  readonly peers: readonly Contender[]
}

/** Prints each case as it is done, then the means. */
export async function comparePeers(
  ours: readonly Contender[],
  peers: readonly Contender[],
  { cases, rounds, force, print }: Pick<PeersOptions, 'cases' | 'rounds' | 'force' | 'print'>,
): Promise<PeersReport> {
  const all = [...ours, ...peers]
  const skip = (contender: Contender, item: BenchCase) =>
    force || !peers.includes(contender) ? undefined : tooLarge(contender.name.includes('web') ? 'web' : 'node', item)
  const comparisons: CaseComparison[] = []
  const missing = new Set<string>()
  const told = new Set<string>()
  let tower: boolean | undefined
  for (const item of cases) {
    // A peer holds what it once took: it starts anew for the other tower.
    if (tower !== undefined && tower !== item.images > 0) for (const peer of peers) await peer.stop()
    tower = item.images > 0
    const present = all.filter((one) => one.missing === undefined)
    const comparison = await compareCase(item, present, { rounds, skip })
    comparisons.push(comparison)
    for (const one of all) {
      if (one.missing === undefined || missing.has(one.name)) continue
      missing.add(one.name)
      await print(`${one.name} is ${one.missing}\n`)
    }
    for (const one of all) {
      if (one.title === undefined || told.has(one.name)) continue
      told.add(one.name)
      await print(`${one.name}: ${one.title}\n`)
      if (one.title.includes(softwareNote)) await print(`\n*** ${one.name} ran on a ${softwareNote} ***\n`)
    }
    const results = comparison.results.filter(({ name }) => !missing.has(name))
    const shown = ours.map(({ name }) => name).filter((name) => results.some((result) => result.name === name))
    if (results.length > 0) await print(comparisonText({ ...comparison, results }, shown))
  }
  const pairs = ours.flatMap(({ name }) => peers.map((peer): [string, string] => [name, peer.name]))
  const summaries = [...pairs, ...oursAgainstOurs(ours)].flatMap(
    ([one, other]) => summarise(comparisons, one, other) ?? [],
  )
  if (summaries.length > 0) await print(summaryText(summaries))
  const contenders = Object.fromEntries(all.map((one) => [one.name, one.missing ?? one.title ?? 'never asked']))
  return { cases: comparisons, summaries, contenders }
}

/** Each dtype against f32, and q12 against q8. */
function oursAgainstOurs(ours: readonly Contender[]): [string, string][] {
  const names = ours.map(({ name }) => name)
  const pairs: [string, string][] = names.map((name) => [name, 'ours-f32'])
  return [...pairs, ['ours-q12', 'ours-q8'] as [string, string]].filter(([a, b]) => a !== b)
}

export function oursContender(
  stage: Stage,
  folder: string,
  dtype: BenchDtype,
  options: ContenderOptions,
  name = `ours-${dtype}`,
): Contender {
  const file = join(stage.folder, 'ours.mjs')
  return createContender({ ...options, name, file, args: [folder, dtype, `${options.threads}`] })
}

function peerContender(stage: Stage, peer: PeerName, options: ContenderOptions): Contender {
  const [kind, dtype] = peer.split('-') as [string, string]
  const isTransformers = kind === 'transformers'
  const needed = isTransformers ? '@huggingface/transformers' : `onnxruntime-${kind}`
  const name = isTransformers ? `transformers.js-${dtype}` : `onnxruntime-${peer}`
  if (!existsSync(join(stage.folder, 'node_modules', needed))) {
    return missingContender(name, 'not installed: npm install --ignore-scripts --prefix bench/peers')
  }
  const program = isTransformers ? 'transformers.mjs' : 'onnx.mjs'
  const args = [...(isTransformers ? [] : [kind]), stage.folder, dtype, `${options.threads}`]
  return createContender({ ...options, name, file: join(stage.folder, program), args })
}
