import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Comparable, type Entry, readReport } from '../../bench/compare/entries.ts'
import { type Change, isWorse, judge } from '../../bench/compare/judge.ts'
import { cli, inFolder } from '../apps/cli-run.ts'

const machine = {
  runtime: 'Node 20',
  platform: 'linux x64',
  processor: 'one',
  cores: 2,
  versions: { bareclip: '1.0.0' },
}

const report = (entries: readonly Entry[], selection: unknown = 'all'): Comparable => ({
  ...{ schema: 'bareclip-bench-kernels-1', machine, conditions: {}, selection, entries },
})

/** Median and range of about `ms`, off by up to `noise` of it, the same for the same seed. */
function timed(key: string, ms: number, { noise = 0, pace = 1, seed = '' } = {}): Entry {
  const off = (part: string) => {
    let hash = 0
    for (const character of `${key} ${seed} ${part}`) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0
    return Math.abs(Math.sin(hash))
  }
  const least = ms * (1 + noise * off('least'))
  const median = least * (1 + noise * off('median'))
  const most = median * (1 + noise * off('most') + 0.01)
  return { key, ms: { least, median, most }, pace, exact: { flops: 100, bytes: 10 } }
}

const keys = Array.from({ length: 60 }, (_, i) => `kernel ${i}`)
const all = (ms: (i: number) => number, options: Parameters<typeof timed>[2] = {}) =>
  report(keys.map((key, i) => timed(key, ms(i), options)))
const told = (changes: readonly Change[]) => changes.map(({ kind, key }) => `${kind} ${key}`)

describe('bench: what moved between two reports', () => {
  it('nothing, if they are the same', () => {
    const { changes, compared, common, judged, threshold } = judge(
      all(() => 5),
      all(() => 5),
    )
    assert.deepEqual([changes, compared, common, judged, threshold], [[], 60, 1, true, 0.05])
  })

  for (const noise of [0.02, 0.05, 0.1, 0.2, 0.4, 1]) {
    it(`nothing, if only noise of ${100 * noise} % differs`, () => {
      for (let run = 0; run < 20; run++) {
        const old = all((i) => 1 + i, { noise, seed: `old ${run}` })
        const now = all((i) => 1 + i, { noise, seed: `new ${run}` })
        assert.deepEqual(told(judge(old, now).changes), [], `run ${run}`)
      }
    })
  }

  for (const [factor, kind] of [
    [1.2, 'slower'],
    [0.8, 'faster'],
    [10, 'slower'],
  ] as const) {
    it(`one kernel that takes ${factor} times as long, within noise of 1 %`, () => {
      const old = all(() => 5, { noise: 0.01, seed: 'old' })
      const now = all((i) => (i === 7 ? 5 * factor : 5), { noise: 0.01, seed: 'new' })
      const { changes } = judge(old, now)
      assert.deepEqual(told(changes), [`${kind} kernel 7`])
      assert.equal(changes.some(isWorse), factor > 1)
    })
  }

  it('one kernel ten times as slow, even within much noise', () => {
    const old = all(() => 5, { noise: 0.15, seed: 'old' })
    const now = all((i) => (i === 7 ? 50 : 5), { noise: 0.15, seed: 'new' })
    assert.deepEqual(told(judge(old, now).changes), ['slower kernel 7'])
  })

  it('not a busier machine, as the steady work beside it tells', () => {
    assert.deepEqual(
      told(
        judge(
          all(() => 5),
          all(() => 9, { pace: 1.8 }),
        ).changes,
      ),
      [],
    )
    const busyOnce = report(keys.map((key, i) => timed(key, i < 10 ? 9 : 5, { pace: i < 10 ? 1.8 : 1 })))
    assert.deepEqual(
      told(
        judge(
          all(() => 5),
          busyOnce,
        ).changes,
      ),
      [],
    )
  })

  it('all of them together, where the steady work took no longer', () => {
    assert.deepEqual(
      told(
        judge(
          all(() => 5),
          all(() => 6),
        ).changes,
      ),
      ['slower all together'],
    )
    assert.deepEqual(
      told(
        judge(
          all(() => 6),
          all(() => 5),
        ).changes,
      ),
      ['faster all together'],
    )
  })

  it('not what overlaps', () => {
    const of = (median: number, least: number, most: number) =>
      report([{ key: 'a', ms: { median, least, most }, exact: {} }])
    assert.deepEqual(told(judge(of(10, 9, 13), of(14, 12.9, 16)).changes), [])
    assert.deepEqual(told(judge(of(10, 9, 11), of(12, 11.5, 14)).changes), ['slower a'])
    assert.deepEqual(told(judge(of(10, 9, 11), of(10.4, 9.4, 11)).changes), [], 'under 5 %')
  })

  it('what vanished, is new, became wrong, was mended', () => {
    const old = report([timed('a', 1), timed('b', 1), { key: 'c', exact: {}, failure: 'wrong' }])
    const now = report([{ key: 'b', exact: {}, failure: 'wrong: by 3' }, timed('c', 1), timed('d', 1)])
    const { changes } = judge(old, now)
    assert.deepEqual(told(changes), ['vanished a', 'new d', 'failed b', 'mended c'])
    assert.deepEqual(told(changes.filter(isWorse)), ['vanished a', 'failed b'])
    assert.deepEqual(told(judge(report([timed('a', 1)]), report([], 'less')).changes), [], 'not asked for')
  })

  it('less, where the steady work tells of a busy machine', () => {
    const old = all(() => 5)
    const now = all((i) => (i === 7 ? 6 : 5))
    assert.deepEqual(told(judge(old, { ...now, disturbance: 0.15 }).changes), ['slower kernel 7'])
    assert.deepEqual(told(judge({ ...old, disturbance: 0.25 }, now).changes), [])
    assert.equal(judge(old, { ...now, disturbance: 3.1 }).judged, false)
  })

  it('what is exact, also where times are too noisy to judge', () => {
    const old = all((i) => 1 + i)
    const wild = (entry: Entry, i: number): Entry => ({
      ...timed(entry.key, (1 + i) * (i % 2 ? 3 : 0.5)),
      exact: { flops: i === 3 ? 120 : 100, bytes: i === 4 ? 9 : 10 },
    })
    const { changes, judged } = judge(old, report(old.entries.map(wild)))
    assert.equal(judged, false)
    assert.deepEqual(told(changes), ['more kernel 3', 'less kernel 4'])
    assert.deepEqual(told(changes.filter(isWorse)), ['more kernel 3'])
  })
})

describe('bareclip bench compare', () => {
  const kernel = (variant: string, ms: number, verdict: unknown = 'ok') => ({
    ...{ operation: 'linear', name: '1x2x3', dtype: 'f32', variant, device: 'wasm', verdict },
    ...{ flops: 12, bytes: 44, samples: 3, ms: { median: ms, least: ms, most: ms }, steadyMs: 1 },
  })
  const kernels = (list: readonly object[], more: object = {}) => ({
    ...{ schema: 'bareclip-bench-kernels-1', machine, date: '2026-01-02T03:04:05Z', settings: { threads: 2 } },
    ...{ devices: [{ device: 'wasm', threads: 2 }], roofs: [], kernels: list, ...more },
  })
  const compared = async (old: unknown, now: unknown) => {
    let result = { code: -1, out: '', err: '' }
    await inFolder(async (folder) => {
      const files = ['old.json', 'new.json'].map((name) => join(folder, name))
      writeFileSync(files[0]!, typeof old === 'string' ? old : JSON.stringify(old))
      writeFileSync(files[1]!, typeof now === 'string' ? now : JSON.stringify(now))
      const { code, out, err } = await cli(['bench', 'compare', ...files])
      result = { code, out, err: err.replaceAll(`${folder}/`, '').replaceAll(`${folder}\\`, '') }
    })
    return result
  }
  const base = kernels([kernel('4x8', 10), kernel('6x8', 8)])

  it('0 where nothing got worse, and what it compared', async () => {
    const { code, out } = await compared(base, kernels([kernel('4x8', 10.2), kernel('6x8', 6)]))
    assert.equal(code, 0)
    assert.match(out, /^old: bareclip 1\.0\.0, Node 20, 2026-01-02T03:04:05Z\n/)
    assert.match(
      out,
      /^2 times, together 0\.87 times the old ones; a change has to be beyond 5\.0 % to be told from noise$/m,
    )
    assert.match(out, /^faster by 25 %: linear 1x2x3, f32, 6x8 on wasm: 6\.00 ms, 8\.00 ms before$/m)
    assert.match((await compared(base, base)).out, /^nothing moved$/m)
  })

  for (const [what, now, line] of [
    [
      'slower',
      kernels([kernel('4x8', 15), kernel('6x8', 8)]),
      /^slower by 50 %: linear 1x2x3, f32, 4x8 on wasm: 15\.0 ms/m,
    ],
    ['gone', kernels([kernel('4x8', 10)]), /^vanished: linear 1x2x3, f32, 6x8 on wasm$/m],
    [
      'wrong',
      kernels([kernel('4x8', 10), kernel('6x8', 8, { wrong: 'by 3' })]),
      /^fails now: .*6x8 on wasm: wrong: by 3$/m,
    ],
    ['more work', kernels([{ ...kernel('4x8', 10), flops: 24 }, kernel('6x8', 8)]), /^more: .*: 24 flops, 12 before$/m],
  ] as const) {
    it(`1 where something is ${what}`, async () => {
      const { code, out } = await compared(base, now)
      assert.equal(code, 1)
      assert.match(out, line)
    })
  }

  for (const [what, old, now, message] of [
    ['no JSON', '{', base, /^bareclip: old\.json: expected a report as .* found no JSON\n$/],
    ['no report', base, [1], /^bareclip: new\.json: expected a schema of bareclip-bench-kernels-1, .*; found none\n$/],
    ['another schema', base, { ...base, schema: 'x' }, /new\.json: expected a schema of .*; found "x"/],
    [
      'half a report',
      base,
      { schema: base.schema, machine },
      /new\.json: it lacks what a report of bareclip-bench-kernels-1 has/,
    ],
    ['no machine', { ...base, machine: {} }, base, /old\.json: its machine is not described/],
    [
      'another machine',
      base,
      kernels([], { machine: { ...machine, cores: 4 } }),
      /different machines, cores 2 and 4; measure both alike/,
    ],
    [
      'other threads',
      base,
      kernels([], { devices: [{ device: 'wasm', threads: 1 }] }),
      /other conditions, wasm \{"threads":2\} and/,
    ],
    [
      'two kinds',
      base,
      { schema: 'bareclip-bench-load-1', machine, ms: {} },
      /the reports are .*kernels-1 and .*load-1/,
    ],
  ] as const) {
    it(`2 for ${what}`, async () => {
      const { code, out, err } = await compared(old, now)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, message)
    })
  }

  it('2 for a file that is not there', async () => {
    const { code, err } = await cli(['bench', 'compare', '/no/such/old.json', '/no/such/new.json'])
    assert.equal(code, 2)
    assert.match(err, /cannot read \/no\/such\/old\.json: .*no such file/i)
  })

  const spread = (median: number) => ({ median, least: median, most: median })
  const results = (ours: number, peer: number) => [
    { name: 'ours-f32', times: [], ms: spread(ours) },
    { name: 'web-f32', times: [], ms: spread(peer) },
  ]
  for (const [schema, old, now, expected] of [
    ['load', { ms: spread(10) }, { ms: spread(20) }, ['slower load to the first embedding']],
    [
      'peers',
      { cases: [{ name: 'a', flops: 1, results: results(10, 20) }] },
      { cases: [{ name: 'a', flops: 1, results: results(20, 41) }] },
      [], // the peer is slower, too
    ],
    [
      'peers',
      { cases: [{ name: 'a', flops: 1, results: results(10, 20) }] },
      { cases: [{ name: 'a', flops: 1, results: results(20, 20) }] },
      ['slower a, ours-f32'],
    ],
    [
      'scaling',
      { cases: [{ name: 'a', flops: 1, results: results(10, 5) }] },
      {
        cases: [
          {
            name: 'a',
            flops: 1,
            results: [{ ...results(10, 5)[0] }, { name: 'web-f32', times: [], failure: 'it died' }],
          },
        ],
      },
      ['failed a, web-f32'],
    ],
    [
      'model',
      {
        model: {},
        device: {},
        cases: [{ name: 'a', ms: spread(1), flops: 1, memory: { scratch: 5 } }],
        memory: { weights: 7, peak: 12 },
      },
      {
        model: {},
        device: {},
        cases: [{ name: 'a', ms: spread(1), flops: 1, memory: { scratch: 6 } }],
        memory: { weights: 7, peak: 13 },
      },
      ['more a', 'more memory'],
    ],
  ] as const) {
    it(`compares reports of ${schema}: ${expected.join(', ') || 'nothing'}`, () => {
      const read = (part: object) =>
        readReport(JSON.stringify({ schema: `bareclip-bench-${schema}-1`, machine, settings: {}, ...part }), 'file')
      assert.deepEqual(told(judge(read(old), read(now)).changes), expected)
    })
  }
})
