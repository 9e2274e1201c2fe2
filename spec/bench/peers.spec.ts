import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { casesNamed } from '../../bench/cases.ts'
import { compareCase, summarise } from '../../bench/peers/compare.ts'
import { type Contender, createContender } from '../../bench/peers/contender.ts'
import { comparePeers } from '../../bench/peers/peers.ts'
import { createStage } from '../../bench/peers/stage.ts'
import { ratioOf } from '../../bench/statistics.ts'
import { inFolder, root } from '../apps/cli-run.ts'

const [text, longer, image] = casesNamed(['1x16', '1x128', 'image-1'])

/** A measured process that says it took `ms`; `quirk` is JavaScript that may do something else for a case `item`. */
function fake(folder: string, name: string, ms: string, { quirk = '', limit = 20, begin = '' } = {}): Contender {
  const file = join(folder, `${name}.mjs`)
  writeFileSync(
    file,
    `let calls = 0
    process.on('disconnect', () => process.exit())
    process.on('message', ({ item, rows }) => {
      calls++
      ${quirk}
      process.send({ ms: ${ms}, memory: { rss: process.pid, peakRss: 9 }, ...(rows && { rows: [[1, 0], [1, 0]] }) })
    })
    ${begin || `process.send({ title: '${name}!' })`}\n`,
  )
  return createContender({ name, file, args: [], node: process.execPath, limit })
}

async function stopping<T>(contenders: readonly Contender[], task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } finally {
    for (const one of contenders) await one.stop()
  }
}

describe('bench: peers', () => {
  it('asks in turn, leaves the first round out, and rates round by round', () =>
    inFolder(async (folder) => {
      const order: string[] = []
      const watched = (one: Contender): Contender => ({
        ...one,
        ask(item, rows) {
          order.push(one.name)
          return one.ask(item, rows)
        },
      })
      const a = fake(folder, 'a', 'calls === 1 ? 999 : calls * 10')
      const b = fake(folder, 'b', 'calls === 1 ? 999 : calls * 40')
      const { results } = await stopping([a, b], () => compareCase(text!, [watched(a), watched(b)], { rounds: 3 }))
      assert.equal(order.join(''), 'abababab')
      assert.deepEqual(
        results.map(({ times }) => times),
        [
          [20, 30, 40],
          [80, 120, 160],
        ],
      )
      assert.deepEqual(ratioOf(results[0]!, results[1]!), { median: 4, least: 4, most: 4 })
      assert.deepEqual(
        results.map(({ cosine }) => cosine),
        [1, 1],
      )
    }))

  it('whoever computes something else is reported, asked no more, and not timed', () =>
    inFolder(async (folder) => {
      const wrong = (name: string, rows: string) =>
        fake(folder, name, 'calls', { quirk: `if (rows) return process.send({ ms: 1, rows: ${rows} })` })
      const a = fake(folder, 'ours-f32', '1')
      const others = [
        wrong('other', '[[1, 0], [3, 4]]'),
        wrong('nan', '[[1, 0], [NaN, 0]]'),
        wrong('none', 'undefined'),
        wrong('ours-q8', '[[1, 0], [1, 0.2]]'),
        wrong('ours-f16', '[[1, 0], [1, 0.2]]'),
      ]
      const { results } = await stopping([a, ...others], () => compareCase(text!, [a, ...others], { rounds: 1 }))
      assert.deepEqual(
        results.map(({ failure, times, ms }) => [failure, times.length, ms !== undefined]),
        [
          [undefined, 1, true],
          ['computes something else than ours-f32 (cosine 0.600), so it is not timed', 0, false],
          ['computes something else than ours-f32 (cosine NaN), so it is not timed', 0, false],
          ['computes something else than ours-f32 (cosine NaN), so it is not timed', 0, false],
          [undefined, 1, true],
          ['computes something else than ours-f32 (cosine 0.981), so it is not timed', 0, false],
        ],
      )
      assert.ok(Math.abs(results[4]!.cosine! - 1 / Math.hypot(1, 0.2)) < 1e-12)
    }))

  for (const [what, quirk, expected] of [
    ['throws', "return process.send({ error: 'out of memory' })", 'out of memory'],
    ['exits', 'process.exit(7)', 'its process ended with code 7'],
    ['is killed', "return process.kill(process.pid, 'SIGKILL')", 'its process ended with SIGKILL'],
    ['never answers', 'return', 'took over 1.5 s'],
  ] as const) {
    it(`a peer that ${what} is reported for that case, and is there again for the next`, () =>
      inFolder(async (folder) => {
        const ours = fake(folder, 'ours-f32', '10')
        const bad = fake(folder, 'bad', '20', {
          quirk: `if (item.name === '1x16' && calls === 2) { ${quirk} }`,
          limit: what === 'never answers' ? 1.5 : 20,
        })
        const good = fake(folder, 'good', '30')
        let printed = ''
        const report = await stopping([ours, bad, good], () =>
          comparePeers([ours], [bad, good], {
            cases: [text!, longer!],
            rounds: 2,
            force: false,
            print: (line) => {
              printed += line
            },
          }),
        )
        const [first, second] = report.cases
        assert.deepEqual(
          first!.results.map(({ failure, times }) => [failure, times.length]),
          [
            [undefined, 2],
            [expected, 0],
            [undefined, 2],
          ],
        )
        assert.ok(second!.results.every(({ times }) => times.length === 2))
        assert.ok(printed.includes(`  bad: ${expected}\n`), printed)
        assert.deepEqual(
          report.summaries.map(({ peer, geometricMean, cases }) => [peer, Math.round(geometricMean), cases]),
          [
            ['bad', 2, 1],
            ['good', 3, 2],
          ],
        )
      }))
  }

  it('one that cannot start is named once, and asked no more', () =>
    inFolder(async (folder) => {
      const ours = fake(folder, 'ours-f32', '10')
      const q8 = fake(folder, 'ours-q8', '10', { begin: "process.send({ error: 'no q8 here' })" })
      const dead = fake(folder, 'dead', '10', { begin: "console.error('no such package'); process.exit(3)" })
      let printed = ''
      const report = await stopping([ours, q8, dead], () =>
        comparePeers([ours, q8], [dead], {
          cases: [text!, longer!],
          rounds: 1,
          force: false,
          print: (line) => {
            printed += line
          },
        }),
      )
      assert.equal(printed.split('ours-q8 is not available: no q8 here\n').length, 2, printed)
      assert.equal(printed.split('dead is not available: its process ended with code 3').length, 2, printed)
      assert.deepEqual(report.summaries, [])
      assert.equal(report.contenders['ours-f32'], 'ours-f32!')
      assert.match(report.contenders.dead!, /^not available/)
      assert.deepEqual(
        report.cases.map(({ results }) => results.filter(({ times }) => times.length === 1).length),
        [1, 1],
      )
    }))

  it('peers start anew for the other tower, ours goes on', () =>
    inFolder(async (folder) => {
      const contenders = [fake(folder, 'ours-f32', '10'), fake(folder, 'peer', '10')]
      const report = await stopping(contenders, () =>
        comparePeers([contenders[0]!], [contenders[1]!], {
          cases: [text!, longer!, image!],
          rounds: 1,
          force: false,
          print: () => {},
        }),
      )
      const processes = (index: number) => report.cases.map(({ results }) => results[index]!.memory!.rss)
      assert.equal(new Set(processes(0)).size, 1)
      const [first, second, third] = processes(1)
      assert.ok(first === second && second !== third)
    }))

  it('says the mean and the worst case of what both finished', () => {
    const result = (name: string, ...times: number[]) => ({ name, times })
    const cases = [
      { name: 'one', flops: 1, results: [result('a', 10, 10, 10), result('b', 20, 40, 90)] },
      { name: 'two', flops: 1, results: [result('a', 10), result('b', 10)] },
      { name: 'three', flops: 1, results: [result('a', 10), { name: 'b', times: [], failure: 'broke' }] },
    ]
    assert.deepEqual(summarise(cases, 'a', 'b'), {
      ours: 'a',
      peer: 'b',
      geometricMean: 2,
      worst: 1,
      worstCase: 'two',
      cases: 2,
    })
    assert.equal(summarise(cases, 'a', 'c'), undefined)
  })

  it('our own process embeds, bundled; its folder goes away', () =>
    inFolder(async (folder) => {
      const model = join(root, 'shapes')
      const stage = await createStage(['ours.ts', 'onnx.ts', 'first.ts'])
      assert.deepEqual(
        readdirSync(stage.folder)
          .filter((name) => name.endsWith('.mjs'))
          .sort(),
        ['first.mjs', 'onnx.mjs', 'ours.mjs'],
      )
      mkdirSync(join(folder, 'empty'))
      const make = (name: string, args: readonly string[]) =>
        createContender({
          ...{ name, args, file: join(stage.folder, 'ours.mjs'), node: process.execPath, limit: 60 },
        })
      const ours = make('ours', [model, 'f32', '1'])
      const missing = make('missing', [join(folder, 'empty'), 'f32', '1'])
      try {
        const { ms, rows, memory, error } = await ours.ask(image!, true)
        assert.equal(error, undefined)
        assert.match(ours.title!, /^f32, 1 threads, /)
        assert.ok(ms! > 0 && memory!.peakRss >= memory!.rss && memory!.rss > 1e7)
        for (const row of rows!) assert.ok(Math.abs(Math.hypot(...Array.from(row)) - 1) < 1e-5)
        assert.match((await missing.ask(image!)).error!, /^not available: no model at /)
      } finally {
        await ours.stop()
        await missing.stop()
        stage.dispose()
      }
      assert.throws(() => readdirSync(stage.folder), { code: 'ENOENT' })
    }))
})
