import { deepEqual, ok, rejects, throws } from 'node:assert/strict'
import { randomValues, runCase } from '../../kernels/case.ts'
import { castOperation } from '../../kernels/cast/cast.ts'
import { l2Normalize } from '../../kernels/l2-normalize/l2-normalize.ts'
import { linear } from '../../kernels/linear/linear.ts'
import type { Command } from '../../runtime/device.ts'
import { arrayOf, convert, type Dtype } from '../../runtime/dtype.ts'
import { rowsOf } from '../../runtime/tensor.ts'
import { devices } from '../devices.ts'
import { longAttention, longLinear, quickCase, withDevice } from './passes.ts'

for (const { name, create } of devices) {
  describe(`running on ${name}`, () => {
    it('lets timers fire while it computes', async () => {
      await withDevice(create, async (device) => {
        for (const record of [await longLinear(device, 512, 1), longAttention(1024, 1)]) {
          const scope = device.scope()
          let ticks = 0
          const timer = setInterval(() => ticks++, 1)
          try {
            record(scope)
            const started = performance.now()
            await device.run(scope)
            const elapsed = performance.now() - started
            // a busy machine takes its processor away for a quarter of a second as well
            ok(elapsed < 100 || ticks >= elapsed / 250, `${ticks} ticks in ${elapsed} ms`)
          } finally {
            clearInterval(timer)
            scope.end()
          }
        }
      })
    })

    it('reports progress that never falls and ends at the total', async () => {
      await withDevice(create, async (device) => {
        const record = await longLinear(device, 384, 5)
        const scope = device.scope()
        const reports: [number, number][] = []
        try {
          record(scope)
          await device.run(scope, { onProgress: (done, total) => reports.push([done, total]) })
        } finally {
          scope.end()
        }
        const total = 5 * 2 * 384 ** 3
        ok(reports.every(([, of]) => of === total))
        ok(reports.every(([done], i) => done >= (reports[i - 1]?.[0] ?? 0)))
        deepEqual(reports.at(-1), [total, total])
      })
    })

    it('an empty pass runs and is done at once', async () => {
      await withDevice(create, async (device) => {
        const scope = device.scope()
        const reports: [number, number][] = []
        await device.run(scope, { onProgress: (done, total) => reports.push([done, total]) })
        deepEqual(reports, [[0, 0]])
        scope.end()
      })
    })

    it('tells of each command in order, if it tells at all', async () => {
      await withDevice(create, async (device) => {
        const record = await longLinear(device, 64, 4)
        const scope = device.scope()
        const told: Command[] = []
        try {
          record(scope)
          await device.run(scope, {
            onCommand(command, ms) {
              ok(ms >= 0)
              told.push(command)
            },
          })
          if (told.length > 0) deepEqual(told, scope.commands)
        } finally {
          scope.end()
        }
      })
    })

    it('reads outputs and nothing else', async () => {
      await withDevice(create, async (device) => {
        const scope = device.scope()
        const x = scope.input('x', 'f32', [2, 2], Float32Array.of(3, 4, 0, 5))
        const middle = l2Normalize(scope, x, 2)
        const y = scope.output(l2Normalize(scope, middle, 1))
        await rejects(device.read(y), /bareclip bug/, 'before the run')
        await device.run(scope)
        deepEqual(await device.read(y), Float32Array.of(1, 0))
        await rejects(device.read(middle), /bareclip bug: l2-normalize is no output of the open scope/)
        const copy = await device.read(y)
        copy.fill(7)
        deepEqual(await device.read(y), Float32Array.of(1, 0), 'what is read is a copy')
        scope.end()
        await rejects(device.read(y), /bareclip bug/, 'after the end')
      })
    })

    it('reads inputs and views that are outputs', async () => {
      await withDevice(create, async (device) => {
        const scope = device.scope()
        const values = randomValues('read', 128 * 3)
        const x = scope.output(scope.input('x', 'f32', [128, 3], values))
        const rows = scope.output(rowsOf(x, 64, 66))
        values[0] = 42 // copied at run, not before
        await device.run(scope)
        deepEqual(await device.read(x), values)
        deepEqual(await device.read(rows), values.slice(192, 198))
        scope.end()
      })
    })

    it('has one scope open at a time', async () => {
      await withDevice(create, async (device) => {
        const first = device.scope()
        throws(() => device.scope(), /bareclip bug: a scope is open already/)
        first.end()
        const second = device.scope()
        await rejects(device.run(first), /bareclip bug: the scope is not the open one/)
        first.end()
        await device.run(second)
        second.end()
      })
    })

    it('a tensor of an earlier pass is not to be read in a later one', async () => {
      await withDevice(create, async (device) => {
        const first = device.scope()
        const x = l2Normalize(first, first.input('x', 'f32', [1, 2], Float32Array.of(3, 4)), 2)
        await device.run(first)
        first.end()
        const second = device.scope()
        second.output(l2Normalize(second, x, 2))
        await rejects(device.run(second), /bareclip bug: l2-normalize is read before anything is written to it/)
        second.end()
      })
    })

    it('an operation without a kernel is a bug, not a hang', async () => {
      await withDevice(create, async (device) => {
        const scope = device.scope()
        const x = scope.input('x', 'f32', [1], Float32Array.of(1))
        const y = scope.output(scope.scratch('y', [1]))
        scope.record({ ...castOperation, name: 'no such thing' }, { x, y })
        await rejects(device.run(scope), /bareclip bug: no .* kernel for no such thing/)
        scope.end()
        const item = quickCase()
        ok((await runCase(device, item, item.data()))[0]!.length > 0)
      })
    })
  })

  describe(`weights on ${name}`, () => {
    const [out, width] = [37, 20]
    // odd numbers of 64ths: never zero
    const values = randomValues('written weight', out * width).map((value) => (2 * Math.round(value * 32) + 1) / 64)

    for (const from of ['f32', 'f16', 'bf16'] as const) {
      for (const to of ['f32', 'f16', 'bf16'] as const) {
        it(`${from} written into ${to}, in pieces, is the same as at once`, async () => {
          await withDevice(create, async (device) => {
            // Rounded to bf16, of which those above 2^-14 are f16 as well: every dtype here holds them exactly.
            const source = through('bf16', values)
            const encoded = arrayOf(from, source.length)
            convert('f32', source, from, encoded)
            const spec = { label: 'weight', role: 'matrix', shape: [out, width], dtype: to } as const
            const whole = device.allocate(spec)
            await device.write(whole, from, encoded)
            const pieces = device.allocate(spec)
            for (const [first, last] of [[5, 30] as const, [0, 5] as const, [30, out] as const]) {
              await device.write(pieces, from, encoded.slice(first * width, last * width), first * width)
            }
            const scope = device.scope()
            const x = scope.input('x', 'f32', [width, width], identity(width))
            const a = scope.output(linear(scope, x, { weight: whole }))
            const b = scope.output(linear(scope, x, { weight: pieces }))
            await device.run(scope)
            const transposed = Float32Array.from(source, (_, i) => source[(i % out) * width + Math.floor(i / out)]!)
            deepEqual(await device.read(a), transposed)
            deepEqual(await device.read(b), transposed)
            scope.end()
          })
        })
      }
    }

    it('of another device are refused', async () => {
      await withDevice(create, (device) =>
        withDevice(create, async (other) => {
          const weight = other.allocate({ label: 'theirs', role: 'vector', shape: [2], dtype: 'f32' })
          await rejects(
            device.write(weight, 'f32', new Float32Array(2)),
            /bareclip bug: theirs is no weight of this device/,
          )
        }),
      )
    })

    it('vectors are f32', async () => {
      await withDevice(create, async (device) => {
        const spec = { label: 'bias', role: 'vector', shape: [2], dtype: 'f16' } as const
        throws(() => device.allocate(spec), /bareclip bug: bias: vectors are f32/)
      })
    })

    it('more values than fit are refused', async () => {
      await withDevice(create, async (device) => {
        const weight = device.allocate({ label: 'w', role: 'matrix', shape: [2, 3], dtype: 'f32' })
        await rejects(device.write(weight, 'f32', new Float32Array(9)), /bareclip bug/)
        await rejects(device.write(weight, 'f32', new Float32Array(6), 3), /bareclip bug/)
      })
    })
  })
}

/** Rounded to a dtype and back. */
function through(dtype: Dtype, values: Float32Array): Float32Array {
  const narrow = arrayOf(dtype, values.length)
  convert('f32', values, dtype, narrow)
  const wide = new Float32Array(values.length)
  convert(dtype, narrow, 'f32', wide)
  return wide
}

/** (size, size) */
const identity = (size: number) => Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0))
