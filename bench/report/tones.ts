import type { Inputs } from './read.ts'

/** A number for each operation: its colour, the same in all charts. */
export type Tones = ReadonlyMap<string, number>

/** Those that matter most have the colours that are easiest to tell apart. */
const known = [
  ...['linear', 'attention', 'gated-linear-unit', 'layer-norm', 'embedding', 'rotary', 'patch-embed'],
  ...['mean-pool', 'l2-normalize', 'cast'],
]

export function tonesOf({ kernels, model }: Inputs): Tones {
  const names = [
    ...kernels.flatMap(({ report }) => report.kernels.map(({ operation }) => operation)),
    ...model.flatMap(({ report }) =>
      report.cases.flatMap(({ profile }) => profile?.operations.map(({ operation }) => operation) ?? []),
    ),
  ]
  const there = [...new Set(names)]
  const ordered = [...known.filter((name) => there.includes(name)), ...there.filter((name) => !known.includes(name))]
  return new Map(ordered.map((name, i) => [name, i]))
}
