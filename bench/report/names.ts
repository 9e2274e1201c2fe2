import type { Head } from './schemas/head.ts'

/** Short: `Node 24.1`. */
export const shortRuntime = (runtime: string) => runtime.split(',')[0]!.replace(/(\d+\.\d+)\.\d+/, '$1')

export function sourceOf({ machine, date }: Head): string {
  const { runtime, processor, cores, platform, commit } = machine
  const parts = [`${processor}, ${cores} ${cores === 1 ? 'core' : 'cores'}`, runtime, platform]
  return [...parts, ...(commit ? [`commit ${commit}`] : []), ...(date ? [date.slice(0, 10)] : [])].join(' · ')
}

export interface Named {
  readonly file: string
  /** What may tell it from the others, the most telling first. */
  readonly facts: readonly string[]
}

export const headFacts = ({ machine, date }: Head): string[] => [
  ...[shortRuntime(machine.runtime), machine.processor, machine.platform],
  ...[machine.commit ? `commit ${machine.commit}` : '', date ?? ''],
]

/**
 * A short name for each of several reports: the first facts that make them differ, else the files. `always`: so many of the
 * first facts are in every name.
 */
export function namesOf(reports: readonly Named[], always = 0): string[] {
  const unique = (names: readonly string[]) => new Set(names).size === names.length
  const differ = (i: number) => new Set(reports.map(({ facts }) => facts[i])).size > 1
  const chosen: number[] = Array.from({ length: always }, (_, i) => i)
  const named = () => reports.map(({ facts }) => [...new Set(chosen.map((i) => facts[i]).filter(Boolean))].join(' · '))
  for (let i = always; i < (reports[0]?.facts.length ?? 0) && !unique(named()); i++) if (differ(i)) chosen.push(i)
  const names = named()
  if (unique(names) && names.every((name) => name !== '' || reports.length === 1)) return names
  const files = reports.map(({ file }) => file.replace(/\.json$/, ''))
  return names.map((name, i) => [name, unique(files) ? files[i] : `${files[i]} (${i + 1})`].filter(Boolean).join(' · '))
}

/** Of a path, without the folders of whoever ran it: `jina-clip-v1`. */
export function modelName(name: string): string {
  const parts = name.split(/[\\/]/).filter((part) => part !== '' && part !== 'model.safetensors')
  return parts.at(-1) ?? name
}

/** Measured calls of each case of a model report: a setting, once a field of its own. */
export const runsOf = ({ settings, runs }: Head & { readonly runs: number | undefined }) =>
  String(runs ?? settings?.find(([name]) => name === 'runs')?.[1] ?? '')
