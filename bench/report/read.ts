import { BareclipError, describe, messageOf } from '../../runtime/errors.ts'
import { type Read, tidy } from './check.ts'
import { type PeersReport, peersReport, type ScalingReport, scalingReport } from './schemas/comparison.ts'
import { type KernelsReport, kernelsReport } from './schemas/kernels.ts'
import { type LoadReport, loadReport } from './schemas/load.ts'
import { type ModelReport, modelReport } from './schemas/model.ts'
import { type PartsReport, partsReport } from './schemas/parts.ts'
import { type PrecisionReport, precisionReport } from './schemas/precision.ts'

/** What each command writes. The version of each schema is 1. */
export interface Reports {
  kernels: KernelsReport
  model: ModelReport
  peers: PeersReport
  scaling: ScalingReport
  load: LoadReport
  parts: PartsReport
  precision: PrecisionReport
}

export type Kind = keyof Reports

/** A report and the name of its file, without folders. */
export interface From<T> {
  readonly file: string
  readonly report: T
}

/** All reports by kind, in the order of the files. */
export type Inputs = { readonly [K in Kind]: readonly From<Reports[K]>[] }

const readers: { readonly [K in Kind]: Read<Reports[K]> } = {
  kernels: kernelsReport,
  model: modelReport,
  peers: peersReport,
  scaling: scalingReport,
  load: loadReport,
  parts: partsReport,
  precision: precisionReport,
}

export const kinds = Object.keys(readers) as readonly Kind[]

const version = 1

/** files: name and text of each. Throws INVALID_ARGUMENT, naming the file and what is wrong with it. */
export function readReports(files: readonly { readonly name: string; readonly text: string }[]): Inputs {
  const inputs: { [K in Kind]: From<Reports[K]>[] } = {
    ...{ kernels: [], model: [], peers: [], scaling: [], load: [], parts: [], precision: [] },
  }
  for (const { name, text } of files) {
    try {
      const value: unknown = JSON.parse(text)
      add(inputs, kindOf(value), name, value)
    } catch (cause) {
      const why = cause instanceof SyntaxError ? `not JSON: ${messageOf(cause)}` : messageOf(cause)
      throw new BareclipError('INVALID_ARGUMENT', `${name}: ${why}`, { cause })
    }
  }
  return inputs
}

function add<K extends Kind>(inputs: { [K in Kind]: From<Reports[K]>[] }, kind: K, name: string, value: unknown): void {
  const file = tidy(name.split(/[\\/]/).at(-1) ?? name)
  inputs[kind].push({ file, report: readers[kind](value, 'report') })
}

function kindOf(value: unknown): Kind {
  const known = kinds.map((kind) => `bareclip-bench-${kind}-${version}`).join(', ')
  const schema = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined
  if (typeof schema !== 'string') {
    throw new BareclipError(
      'INVALID_ARGUMENT',
      `expected a report of the bench with a "schema" (${known}), got ${schema === undefined ? describe(value) : `schema ${describe(schema)}`}`,
    )
  }
  const [, name, number] = /^bareclip-bench-([a-z]+)-(\d{1,9})$/.exec(schema) ?? []
  const kind = kinds.find((one) => one === name)
  if (kind === undefined) {
    throw new BareclipError('INVALID_ARGUMENT', `unknown schema ${describe(schema)}; known are ${known}`)
  }
  if (Number(number) !== version) {
    throw new BareclipError(
      'INVALID_ARGUMENT',
      `schema ${schema} is of ${Number(number) > version ? 'a newer' : 'another'} version: this bareclip reads version ${version}; use the one that wrote the file`,
    )
  }
  return kind
}
