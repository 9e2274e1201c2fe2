import { deepEqual, equal, ok } from 'node:assert/strict'
import { type RotaryData, rotaryCases } from '../../kernels/rotary/cases.ts'
import { rotary } from '../../kernels/rotary/rotary.ts'
import { rotaryTable } from '../../kernels/rotary/table.ts'
import { assertRefused, bits, itComputes, itKeepsBits, onEveryDevice, onlyOutput, type Part } from './check.ts'
import { golden, goldenTolerance } from './goldens.ts'
import { matrixOf, rotate } from './naive.ts'

function naive({ x, columns, positions, heads, headDim, cos, sin }: RotaryData) {
  const cosines = matrixOf(cos, headDim / 2)
  const sines = matrixOf(sin, headDim / 2)
  return matrixOf(x, columns).map((row, t) =>
    rotate(row, heads, headDim, cosines[positions[t]!]!, sines[positions[t]!]!),
  )
}

const tokensAlone = (data: RotaryData): Part<RotaryData>[] =>
  Array.from({ length: data.tokens }, (_, t) => {
    const at = t * data.columns
    const x = data.x.slice(at, at + data.columns)
    return { at, data: { ...data, tokens: 1, x, positions: data.positions.slice(t, t + 1) } }
  })

onEveryDevice('rotary', 'rotary', (device, under) => {
  itComputes(device, under, rotaryCases(), naive)
  itKeepsBits(device, rotaryCases(), tokensAlone)

  it('leaves the columns behind the heads and the class token as they are', async () => {
    const item = rotaryCases().find(({ name }) => name === 'a fused q, k, v of the vision tower')!
    const data = item.data()
    const got = await onlyOutput(device(), item, data)
    const { columns, heads, headDim } = data
    for (let t = 0; t < data.tokens; t++) {
      const from = t * columns + (data.positions[t] === 0 ? 0 : heads * headDim)
      const to = (t + 1) * columns
      deepEqual(bits(got.subarray(from, to)), bits(data.x.subarray(from, to)), `token ${t}`)
    }
  })

  it('refuses tensors that do not fit', () => {
    const scope = device().scope()
    try {
      const fitting = {
        x: scope.scratch('x', [5, 24]),
        heads: 3,
        headDim: 8,
        positions: scope.scratch('positions', [5], 'i32'),
        cos: scope.scratch('cos', [10, 4]),
        sin: scope.scratch('sin', [10, 4]),
      }
      rotary(scope, fitting)
      assertRefused(
        () => rotary(scope, { ...fitting, heads: 4 }),
        'SHAPE_MISMATCH',
        'rotary x: expected shape (5, 32), found (5, 24) in x',
      )
      assertRefused(
        () => rotary(scope, { ...fitting, sin: scope.scratch('sin', [9, 4]) }),
        'SHAPE_MISMATCH',
        'rotary sin: expected shape (10, 4), found (9, 4) in sin',
      )
      assertRefused(
        () => rotary(scope, { ...fitting, heads: 1, headDim: 5 }),
        'SHAPE_MISMATCH',
        'rotary cos: expected shape (10, 2.5), found (10, 4) in cos',
      )
      assertRefused(
        () => rotary(scope, { ...fitting, positions: scope.scratch('positions', [4], 'i32') }),
        'SHAPE_MISMATCH',
        'rotary positions: expected shape (5), found (4) in positions',
      )
    } finally {
      scope.end()
    }
  })
})

describe('rotary tables', () => {
  const tables = [
    { name: 'v1', grid: 14, headDim: 64, stretch: 1, every: 1 },
    { name: 'eva02-b16', grid: 14, headDim: 64, stretch: 16 / 14, every: 1 },
    { name: 'v2', grid: 36, headDim: 64, stretch: 16 / 36, every: 37 },
    { name: 'head8', grid: 3, headDim: 8, stretch: 1, every: 1 },
  ]
  for (const { name, grid, headDim, stretch, every } of tables) {
    it(`golden values, ${name}`, () => {
      const table = rotaryTable(grid, headDim, stretch)
      equal(table.cos.length, (1 + grid * grid) * (headDim / 2))
      equal(table.sin.length, table.cos.length)
      for (const part of ['cos', 'sin'] as const) {
        const want = golden(`rope/${name}/${part}`) // (patches, headDim): each angle twice, no row for the class token
        ok(want.length > 0)
        want.forEach((value, i) => {
          const row = 1 + Math.floor(i / headDim) * every
          const got = table[part][row * (headDim / 2) + Math.floor((i % headDim) / 2)]!
          ok(Math.abs(got - value) <= goldenTolerance, `${part}, row ${row}, column ${i % headDim}: ${got}, ${value}`)
        })
      }
    })
  }

  it('turn nothing in row 0, which is the class token', () => {
    const { cos, sin } = rotaryTable(14, 64, 1)
    ok(cos.subarray(0, 32).every((value) => value === 1))
    ok(sin.subarray(0, 32).every((value) => value === 0))
  })
})
