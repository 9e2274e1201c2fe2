import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { attentionCases } from '../../kernels/attention/cases.ts'
import type { Case } from '../../kernels/case.ts'
import { linearCases } from '../../kernels/linear/cases.ts'
import { patchEmbedCases } from '../../kernels/patch-embed/cases.ts'
import { wasmKernels } from '../../kernels/wasm.ts'
import type { Device } from '../../runtime/device.ts'
import { createWasmDevice } from '../../runtime/wasm/device.ts'
import { compileModule } from '../../runtime/wasm/module.ts'
import { threadsPossible } from '../../runtime/wasm/threads.ts'
import { createTileChoice, type TileChoice, tileChoice } from '../../runtime/wasm/tile-choice.ts'
import { bits, onlyOutput } from '../kernels/check.ts'

const packed = 256
/** What `setTile` takes: heights that divide a unit's rows and that do not, rows packed and as they lie. */
const codes = [4, 1, 3, 5, 6, 7, 8, packed + 1, packed + 2, packed + 4, packed + 5]

async function deviceWith(tile: TileChoice | undefined, threads = 1): Promise<Device> {
  const module = await compileModule(threads > 1)
  return createWasmDevice(wasmKernels, { module, threads, reason: 'spec', variants: {}, ...(tile && { tile }) })
}

const fixed = (code: number): TileChoice => ({ code, name: `tile ${code}`, look() {} })

describe('register tiles of the wasm device', () => {
  itGivesTheSameBits('linear', linearCases())
  itGivesTheSameBits('patch-embed', patchEmbedCases())
  itGivesTheSameBits('attention', attentionCases())

  function itGivesTheSameBits<Data>(name: string, cases: readonly Case<Data>[]) {
    it(`${name} gives the same bits with every shape`, async () => {
      const devices: Device[] = []
      try {
        for (const code of codes) devices.push(await deviceWith(fixed(code)))
        let compared = 0
        for (const item of cases) {
          if (item.nonFinite) continue // which NaN it is is the processor's business
          const data = item.data()
          const want = bits(await onlyOutput(devices[0]!, item, data))
          for (const [i, device] of devices.entries()) {
            deepEqual(bits(await onlyOutput(device, item, data)), want, `${item.name}, tile ${codes[i]}`)
          }
          compared += want.length
        }
        ok(compared > 10_000)
      } finally {
        for (const device of devices) device.dispose()
      }
    })
  }

  it('every thread uses the shape that it is told', async function () {
    if (!threadsPossible().possible) this.skip() // no shared memory in this runtime
    const [item] = linearCases()
    // a tile of no rows divides by zero: the one shape whose use can be seen from outside
    const none = await deviceWith(fixed(512), 2)
    try {
      await rejects(onlyOutput(none, item!, item!.data()), /a thread failed: .*zero/i)
    } finally {
      none.dispose()
    }
  })

  it('the choice is in info, one for all devices of a form', async () => {
    const first = await deviceWith(undefined)
    const second = await deviceWith(undefined)
    try {
      match(first.info.variants.linear!, /^tile \dx8( packed)? of 4x8, /)
      equal(first.info.variants.linear, second.info.variants.linear)
    } finally {
      first.dispose()
      second.dispose()
    }
    equal(tileChoice(await compileModule(false)), tileChoice(await compileModule(false)))
  })
})

describe('the choice of a tile', () => {
  const candidates = {
    shapes: [
      { code: 4, name: '4x8' },
      { code: 6, name: '6x8' },
      { code: 8, name: '8x8' },
    ],
    usual: 1,
  }

  /** A clock that stands still but for pauses and for runs, which take milliseconds(code, earlier runs with it). */
  function machine(milliseconds: (code: number, earlier: number) => number, bitsOf = (_code: number) => [1, 2]) {
    let now = 0
    const runs = new Map<number, number>()
    const trial = {
      bits: (code: number) => Uint32Array.from(bitsOf(code)),
      run(code: number) {
        const earlier = runs.get(code) ?? 0
        runs.set(code, earlier + 1)
        now += milliseconds(code, earlier)
      },
    }
    const choice = createTileChoice(candidates, trial, () => now)
    return {
      choice,
      runs: () => [...runs.values()].reduce((sum, count) => sum + count, 0),
      now: () => now,
      look(pause = 100) {
        now += pause
        choice.look()
      },
    }
  }

  const good: Readonly<Record<number, number>> = { 4: 0.03, 6: 0.025, 8: 0.02 }

  it('takes the fastest shape, and the usual one until it knows', () => {
    const { choice, look } = machine((code) => good[code]!)
    equal(choice.code, 6)
    equal(choice.name, 'tile 6x8 of 4x8, 6x8, 8x8')
    for (let i = 0; i < 5; i++) look()
    equal(choice.code, 8)
    equal(choice.name, 'tile 8x8 of 4x8, 6x8, 8x8')
  })

  it('keeps the usual shape where another is hardly faster', () => {
    const { choice, look } = machine((code) => (code === 6 ? 0.02 : 0.0195))
    for (let i = 0; i < 5; i++) look()
    equal(choice.code, 6)
  })

  it('does not believe the first runs, which another compiler made', () => {
    const slow: Readonly<Record<number, number>> = { 4: 0.1, 6: 0.2, 8: 0.2 }
    const { choice, look } = machine((code, earlier) => (earlier < 9 ? slow : good)[code]!)
    const seen: number[] = []
    for (let i = 0; i < 9; i++) {
      look()
      seen.push(choice.code)
    }
    equal(choice.code, 8)
    ok(!seen.includes(4), `${seen}`)
  })

  it('ends when two looks agree, after a few milliseconds in all', () => {
    const { look, runs, now } = machine((code) => good[code]!)
    for (let i = 0; i < 8; i++) look()
    const after = runs()
    for (let i = 0; i < 8; i++) look()
    equal(runs(), after)
    ok(now() - 1600 < 5, `${now() - 1600} ms`)
  })

  it('ends on a machine that never settles', () => {
    const { look, runs } = machine((code, earlier) => good[code]! * (1 + (earlier % 13)) * (earlier % 2 ? 3 : 50))
    for (let i = 0; i < 40; i++) look()
    const after = runs()
    look()
    equal(runs(), after)
  })

  it('leaves pauses between its looks', () => {
    const { look, runs } = machine((code) => good[code]!)
    look()
    const after = runs()
    look(5)
    equal(runs(), after)
  })

  it('uses no shape with other bits than the smallest, and says so', () => {
    const { choice, look } = machine(
      (code) => good[code]!,
      (code) => (code === 8 ? [1, 3] : [1, 2]),
    )
    for (let i = 0; i < 5; i++) look()
    equal(choice.code, 6)
    equal(choice.name, 'tile 6x8 of 4x8, 6x8; other bits: 8x8')
  })

  it('pins the smallest if no other has its bits, and measures nothing', () => {
    const { choice, look, runs } = machine(
      (code) => good[code]!,
      (code) => [code],
    )
    for (let i = 0; i < 5; i++) look()
    equal(choice.name, 'tile 4x8 of 4x8; other bits: 6x8, 8x8')
    equal(runs(), 0)
  })
})
