import { equal, ok } from 'node:assert/strict'
import { erfc, gelu, silu } from '../../kernels/activation.ts'
import {
  type GatedLinearUnitData,
  gatedLinearUnitCases,
  loadGatedLinearUnit,
} from '../../kernels/gated-linear-unit/cases.ts'
import { gatedLinearUnit, gatedLinearUnitOperation } from '../../kernels/gated-linear-unit/gated-linear-unit.ts'
import { assertRefused, assertWithin, itComputes, itKeepsBits, onEveryDevice, onlyOutput, type Part } from './check.ts'
import { golden, goldenTolerance } from './goldens.ts'
import { gated, matrixOf, gelu as naiveGelu, silu as naiveSilu } from './naive.ts'

const rowsAlone = (data: GatedLinearUnitData): Part<GatedLinearUnitData>[] =>
  Array.from({ length: data.rows }, (_, row) => {
    const x = data.x.slice(row * 2 * data.width, (row + 1) * 2 * data.width)
    return { at: row * data.width, data: { ...data, rows: 1, x } }
  })

const goldens = { gelu: golden('activation/gelu_erf'), silu: golden('activation/silu') }

describe('activations', () => {
  const xs = golden('activation/x')

  for (const [name, activation] of [['gelu', gelu] as const, ['silu', silu] as const]) {
    it(`${name}: golden values`, () => {
      xs.forEach((x, i) => {
        const want = goldens[name][i]!
        // The golden values are ½ (1 + erf), which loses its last digits below -3 or so: there they bound the difference.
        ok(
          Math.abs(activation(x) - want) <= goldenTolerance * Math.abs(want) + 1e-15,
          `${name}(${x}): ${activation(x)}`,
        )
      })
    })
  }

  it('keep their relative precision where they are nearly zero', () => {
    for (let x = -36; x <= 36; x += 0.03125) {
      ok(Math.abs(gelu(x) - naiveGelu(x)) <= 1e-12 * Math.abs(naiveGelu(x)), `gelu(${x}): ${gelu(x)}, ${naiveGelu(x)}`)
      ok(Math.abs(silu(x) - naiveSilu(x)) <= 1e-12 * Math.abs(naiveSilu(x)), `silu(${x})`)
    }
  })

  it('erfc at the values of a table', () => {
    // Abramowitz and Stegun, table 7.1 (erf) and 7.3; NIST Digital Library of Mathematical Functions, 7.23
    const table: readonly [number, number][] = [
      [0, 1],
      [0.5, 0.4795001221869535],
      [1, 0.15729920705028513],
      [2, 0.004677734981047266],
      [5, 1.5374597944280349e-12],
      [10, 2.088487583762545e-45],
    ]
    for (const [x, want] of table) {
      ok(Math.abs(erfc(x) - want) <= 1e-14 * want, `erfc(${x}): ${erfc(x)}`)
      ok(Math.abs(erfc(-x) - (2 - want)) <= 1e-14, `erfc(${-x}): ${erfc(-x)}`)
    }
    equal(erfc(30), 0)
    equal(erfc(-30), 2)
    equal(erfc(Number.POSITIVE_INFINITY), 0)
    ok(Number.isNaN(erfc(Number.NaN)))
  })

  it('saturate without NaN', () => {
    for (const x of [100, 1e30, 3e38, Number.MAX_VALUE]) {
      equal(gelu(x), x)
      equal(silu(x), x)
      ok(Math.abs(gelu(-x)) === 0 && Math.abs(silu(-x)) < 1e-40)
    }
  })
})

const goldenCase = { operation: 'gated-linear-unit', name: 'golden', load: loadGatedLinearUnit }

onEveryDevice('gated linear unit', 'gated-linear-unit', (device, under) => {
  itComputes(device, under, gatedLinearUnitCases(), ({ x, width, activation }) =>
    matrixOf(x, 2 * width).map((row) => gated(row, activation)),
  )
  itKeepsBits(device, gatedLinearUnitCases(), rowsAlone)

  for (const activation of ['gelu', 'silu'] as const) {
    it(`${activation}: golden values between -12 and 12, gated by 1`, async () => {
      const inRange = [...golden('activation/x').keys()].filter((i) => Math.abs(golden('activation/x')[i]!) <= 12)
      const width = inRange.length
      const x = Float32Array.from({ length: 2 * width }, (_, i) =>
        i < width ? golden('activation/x')[inRange[i]!]! : 1,
      )
      const got = await onlyOutput(device(), goldenCase, { rows: 1, width, x, activation })
      const want = [inRange.map((i) => goldens[activation][i]!)]
      assertWithin(got, want, { error: goldenTolerance / 6, per: 'row' })
    })
  }

  it('activates the first half', async () => {
    const data: GatedLinearUnitData = { rows: 1, width: 2, x: Float32Array.of(-50, 2, 3, -50), activation: 'gelu' }
    const [first = 1, second = 0] = await onlyOutput(device(), goldenCase, data)
    ok(Math.abs(first) === 0, 'gelu(-50) · 3, not -50 · gelu(3)')
    ok(second < -90, 'gelu(2) · -50')
  })

  it('refuses tensors that do not fit', () => {
    const scope = device().scope()
    try {
      const x = scope.scratch('x', [3, 10])
      assertRefused(
        () => scope.record(gatedLinearUnitOperation, { x, activation: 'gelu', y: scope.scratch('y', [3, 10]) }),
        'SHAPE_MISMATCH',
        'gated-linear-unit x: expected shape (3, 20), found (3, 10) in x',
      )
      assertRefused(
        () => gatedLinearUnit(scope, scope.scratch('x', [3, 10], 'bf16'), 'silu'),
        'SHAPE_MISMATCH',
        'gated-linear-unit x: expected dtype f32, found bf16 in x',
      )
    } finally {
      scope.end()
    }
  })
})
