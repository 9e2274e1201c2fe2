import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { BareclipError } from '../runtime/errors.ts'
import type { ContenderOptions } from './peers/contender.ts'
import type { FirstEmbedding } from './peers/first.ts'
import type { BenchDtype } from './peers/peers.ts'
import { endProcess, nextMessage, startProcess } from './peers/process.ts'
import { createStage } from './peers/stage.ts'
import { median, type Spread, spread } from './statistics.ts'
import { digits, mebibytes, type Print, table } from './table.ts'

export interface LoadBenchOptions extends ContenderOptions {
  readonly dtype: BenchDtype
  readonly runs: number
  readonly print: Print
}

export interface LoadBenchReport {
  readonly runs: readonly FirstEmbedding[]
  /** From the call of `load` to the first embedding of 16 tokens, in milliseconds. */
  readonly ms: Spread
  /** Of the whole process, in bytes. */
  readonly peakRss: Spread
}

/** Each run is a process of its own, on a file that the system has in memory. Throws MODEL_NOT_FOUND, DEVICE_UNAVAILABLE. */
export async function benchLoad(folder: string, options: LoadBenchOptions): Promise<LoadBenchReport> {
  const weights = join(folder, 'model.safetensors')
  warm(weights)
  const stage = await createStage(['first.ts'])
  const runs: FirstEmbedding[] = []
  try {
    for (let run = 0; run < options.runs; run++) {
      runs.push(await firstEmbedding(join(stage.folder, 'first.mjs'), resolve(folder), options))
    }
  } finally {
    stage.dispose()
  }
  const report: LoadBenchReport = {
    runs,
    ms: spread(runs.map(({ ms }) => ms)),
    peakRss: spread(runs.map(({ after }) => after.peakRss)),
  }
  await options.print(loadBenchText(report))
  return report
}

/** Reads the file once. */
function warm(path: string): void {
  try {
    readFileSync(path)
  } catch (cause) {
    throw new BareclipError('MODEL_NOT_FOUND', `cannot read ${path}: bareclip synth DIR --size full makes one`, {
      cause,
    })
  }
}

async function firstEmbedding(file: string, folder: string, options: LoadBenchOptions): Promise<FirstEmbedding> {
  const { node, dtype, threads, limit, signal } = options
  signal?.throwIfAborted()
  const child = startProcess(node, file, [folder, dtype, `${threads}`], signal)
  try {
    const message = await nextMessage<FirstEmbedding>(child, limit)
    signal?.throwIfAborted()
    if (!('error' in message)) return message
    throw new BareclipError('DEVICE_UNAVAILABLE', `the measured process failed: ${message.error}`)
  } finally {
    await endProcess(child)
  }
}

function loadBenchText({ runs, ms, peakRss }: LoadBenchReport): string {
  const middle = (of: (run: FirstEmbedding) => number) => median(runs.map(of))
  const names = runs[0]!.stages.map(({ stage }) => stage)
  const stageMs = (name: string) => middle(({ stages }) => stages.find(({ stage }) => stage === name)!.ms)
  const weights = runs[0]!.weights
  const over = peakRss.median - weights
  return `${table([
    ['stage, median', 'ms'],
    ['(start of the process)', digits(middle(({ start }) => start))],
    ...names.map((name) => [name, digits(stageMs(name))]),
    ['load to first embedding', digits(ms.median), `${digits(ms.least)} … ${digits(ms.most)}`],
  ])}
peak resident: ${mebibytes(peakRss.median)}, which is the weights' ${mebibytes(weights)} and ${mebibytes(over)};
before loading: ${mebibytes(middle(({ before }) => before.rss))}
`
}
