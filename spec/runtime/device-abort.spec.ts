import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { runCase } from '../../kernels/case.ts'
import { loadLayerNorm } from '../../kernels/layer-norm/cases.ts'
import type { Device, Scope } from '../../runtime/device.ts'
import { devices } from '../devices.ts'
import { longAttention, longLinear, quickCase, withDevice } from './passes.ts'

// More work than any device finishes before the abort comes.
const passes: readonly [string, (device: Device) => Promise<(scope: Scope) => unknown>][] = [
  ['a long linear', (device) => longLinear(device, 1024, 400)],
  ['a long attention', async () => longAttention(8192, 50)],
]

/** Runs the pass and aborts it after `delay` ms: how long the rejection takes to come. */
async function abortLatency(device: Device, record: (scope: Scope) => unknown, delay: number): Promise<number> {
  const reason = new Error('enough')
  const controller = new AbortController()
  let aborted = 0
  const timer = setTimeout(() => {
    aborted = performance.now()
    controller.abort(reason)
  }, delay)
  const scope = device.scope()
  try {
    record(scope)
    await rejects(device.run(scope, { signal: controller.signal }), (error) => {
      equal(error, reason, 'the very reason of the signal')
      return true
    })
    return performance.now() - aborted
  } finally {
    clearTimeout(timer)
    scope.end()
  }
}

for (const { name, create } of devices) {
  describe(`aborting on ${name}`, () => {
    for (const [title, prepare] of passes) {
      it(`${title}: within 100 ms, and the device works on`, async () => {
        await withDevice(create, async (device) => {
          const item = quickCase()
          const before = await runCase(device, item, item.data())
          const record = await prepare(device)
          // The machine may be busy with something else: the best of a few tries counts.
          let quickest = Number.POSITIVE_INFINITY
          for (let attempt = 0; attempt < 5 && quickest >= 100; attempt++) {
            quickest = await abortLatency(device, record, 60)
            deepEqual(await runCase(device, item, item.data()), before)
          }
          ok(quickest < 100, `${quickest} ms`)
        })
      })
    }

    it('before the run: nothing is computed', async () => {
      await withDevice(create, async (device) => {
        const reasons: unknown[] = [new Error('enough'), 'a string', new DOMException('late', 'TimeoutError')]
        for (const reason of reasons) {
          const commands: unknown[] = []
          const record = await longLinear(device, 64, 3)
          const scope = device.scope()
          try {
            record(scope)
            const options = {
              signal: AbortSignal.abort(reason),
              onCommand: (command: unknown) => commands.push(command),
            }
            await device.run(scope, options).then(
              () => ok(false, 'the run went through'),
              (error: unknown) => equal(error, reason),
            )
            equal(commands.length, 0)
          } finally {
            scope.end()
          }
        }
      })
    })

    it('after the run: no effect', async () => {
      await withDevice(create, async (device) => {
        const controller = new AbortController()
        const item = quickCase()
        const [first] = await runCase(device, item, item.data(), { signal: controller.signal })
        controller.abort()
        deepEqual((await runCase(device, item, item.data()))[0], first)
      })
    })

    it('the aborted pass can be run again', async () => {
      await withDevice(create, async (device) => {
        const x = Float32Array.of(1, 2, 3, 4)
        const ones = Float32Array.of(1, 1)
        const data = { rows: 2, width: 2, x, weight: ones, bias: ones, epsilon: 0, inPlace: true }
        const loaded = await loadLayerNorm(device, data)
        const scope = device.scope()
        try {
          const [y] = loaded.record(scope)
          await rejects(device.run(scope, { signal: AbortSignal.abort() }), { name: 'AbortError' })
          await device.run(scope)
          deepEqual(await device.read(y!), Float32Array.of(0, 2, 0, 2), 'in place, from the inputs as they were')
        } finally {
          scope.end()
        }
      })
    })
  })
}
