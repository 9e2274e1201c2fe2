import { modelName, runsOf } from './names.ts'
import type { Kind, Reports } from './read.ts'
import type { Head } from './schemas/head.ts'

/** The command that wrote a report, as one would type it again; DIR stands for a folder that the report does not name. */
export function commandOf<K extends Kind>(kind: K, report: Reports[K]): string {
  const { start, flags } = makers[kind](report)
  const words = Object.entries(own.includes(kind) ? flags : { ...flags, ...settingsOf(report) }).flatMap(
    ([name, value]) => {
      if (!/^[a-z][a-zA-Z0-9]{0,30}$/.test(name) || value === false || value === '' || left.includes(name)) return []
      const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
      return value === true ? [flag] : [flag, quoted(value)]
    },
  )
  return [start, ...words].join(' ')
}

type Flags = Readonly<Record<string, string | boolean>>

/** Their settings have other names than their options, or say less than the report. */
const own: readonly Kind[] = ['kernels', 'model']

/** Where things lay that day. */
const left = ['json', 'node', 'limit', 'dir', 'folder']

const settingsOf = ({ settings }: Head): Flags => Object.fromEntries(settings ?? [])

const makers: { readonly [K in Kind]: (report: Reports[K]) => { start: string; flags: Flags } } = {
  kernels(report) {
    if (!/^(Node|Deno|Bun) /.test(report.machine.runtime)) return { start: 'bareclip bench --browser', flags: {} }
    const { operations = '', dtypes = '', devices = '', shapes, variants, threads, quick } = settingsOf(report)
    const several = (list: string | boolean, whole: number) => (String(list).split(',').length < whole ? list : '')
    const device = String(devices).split(',')
    return {
      start: 'bareclip bench kernels',
      flags: {
        ...{ op: several(operations, 10), shape: shapes ?? '', dtype: several(dtypes, 4), variant: variants ?? '' },
        ...{
          device: device.length === 1 ? devices : device.length > 2 ? 'all' : '',
          threads: threads ?? '',
          quick: quick ?? false,
        },
      },
    }
  },
  model: (report) => ({
    start: 'bareclip bench model',
    flags: {
      model: settingsOf(report).model === '' ? '' : modelName(report.model.name), // '': the demonstration model
      ...{ device: report.device.device, dtype: report.model.dtype, threads: String(report.device.threads) },
      ...{ cases: report.cases.map(({ name }) => name).join(','), runs: runsOf(report) },
    },
  }),
  peers({ cases, contenders }) {
    const names = contenders.map(([name]) => name)
    const after = (start: string) =>
      names.flatMap((name) => (name.startsWith(start) ? [name.slice(start.length)] : [])).join(',')
    return {
      start: 'npm run bench -- peers DIR',
      flags: { ...rounds(cases), dtypes: after('ours-'), peers: after('onnxruntime-') },
    }
  },
  scaling: ({ threads, cases }) => ({
    start: 'npm run bench -- scaling DIR',
    flags: { ...rounds(cases), threads: String(threads) },
  }),
  load: ({ runs }) => ({ start: 'npm run bench -- load DIR', flags: { runs: String(runs.length) } }),
  parts: () => ({ start: 'npm run bench -- parts', flags: {} }),
  precision: () => ({ start: 'bareclip bench precision', flags: {} }),
}

function rounds(cases: Reports['peers']['cases'] | Reports['scaling']['cases']): Flags {
  const most = cases
    .flatMap(({ results }) => results.map(({ times }) => times.length))
    .reduce((a, b) => Math.max(a, b), 0)
  return { cases: cases.map(({ name }) => name).join(','), ...(most > 0 && { rounds: String(most) }) }
}

/** For a POSIX shell. */
const quoted = (word: string) => (/^[\w./:,@%+=×-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)
