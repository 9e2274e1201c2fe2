import { ok } from 'node:assert/strict'
import { linearCases as floatCases, type LinearData, loadLinear, sentinel } from '../../kernels/linear/cases.ts'
import { linear, linearOperation } from '../../kernels/linear/linear.ts'
import { quantizedLinearCases } from '../../kernels/linear/quantized-cases.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import { assertRefused, assertWithin, itComputes, itKeepsBits, onEveryDevice, onlyOutput, type Part } from './check.ts'
import { golden, goldenTolerance } from './goldens.ts'
import { activations, dot, type Matrix, matrixOf } from './naive.ts'
import { numberOf } from './naive-dtype.ts'

const linearCases = () => [...floatCases(), ...quantizedLinearCases()]

/** The numbers that the weight stands for; beside a scale each a product rounded to float32. */
function weightOf({ weight: { dtype, values }, scale, width }: LinearData): number[] {
  const numbers = Array.from(values, (element) => numberOf(dtype, element))
  if (!scale) return numbers
  const perRow = Math.ceil(width / 64)
  return numbers.map((code, i) => {
    return Math.fround(code * scale.values[Math.floor(i / width) * perRow + Math.floor((i % width) / 64)]!)
  })
}

function naive(data: LinearData): Matrix {
  const { width, out, activation, gate } = data
  const weight = matrixOf(weightOf(data), width)
  const residual = data.residual && matrixOf(data.residual, out)
  return matrixOf(data.x, width).map((x, row) => {
    const sums = weight.map((w, n) => dot(x, w) + (data.bias ? data.bias[n]! : 0))
    return Array.from({ length: out }, (_, n) => {
      let value = sums[n]!
      if (activation) value = activations[activation](value)
      if (gate) value = activations[gate](value) * sums[n + out]!
      return value + (residual ? residual[row]![n]! : 0)
    })
  })
}

function withMargin(data: LinearData): Matrix {
  const margin = (rows = 0): Matrix => Array.from({ length: rows }, () => new Array<number>(data.out).fill(sentinel))
  return [...margin(data.margin?.before), ...naive(data), ...margin(data.margin?.after)]
}

/** Each row alone, and in between the two halves. */
function someRows(data: LinearData): Part<LinearData>[] {
  const { rows, width, out } = data
  const part = (from: number, to: number): Part<LinearData> => ({
    at: ((data.margin?.before ?? 0) + from) * out,
    data: {
      ...data,
      rows: to - from,
      x: data.x.slice(from * width, to * width),
      residual: data.residual?.slice(from * out, to * out),
      margin: undefined,
    },
  })
  const half = Math.ceil(rows / 2)
  return [...Array.from({ length: rows }, (_, row) => part(row, row + 1)), part(0, half), part(half, rows)]
}

const goldenCase = { operation: 'linear', name: 'golden', load: loadLinear }

onEveryDevice('linear', 'linear', (device, under) => {
  itComputes(device, under, linearCases(), withMargin)
  itKeepsBits(device, linearCases(), someRows)

  it('writes into the rows it is given and no others', async () => {
    for (const item of linearCases()) {
      const data = item.data()
      if (!data.margin) continue
      const { before, after } = data.margin
      const got = await onlyOutput(device(), item, data)
      ok(got.subarray(0, before * data.out).every((value) => value === sentinel))
      ok(got.subarray(got.length - after * data.out).every((value) => value === sentinel))
      ok(!got.subarray(before * data.out, got.length - after * data.out).includes(sentinel))
    }
  })

  for (const size of ['1x1x1', '1x768x5', '3x64x192', '17x33x65', '65x96x31', '128x129x127']) {
    it(`golden values, ${size}`, async () => {
      const [rows = 0, width = 0, out = 0] = size.split('x').map(Number)
      const data: LinearData = {
        rows,
        width,
        out,
        x: golden(`linear/${size}/x`),
        weight: { shape: [out, width], dtype: 'f32', values: golden(`linear/${size}/weight`) },
        scale: undefined,
        bias: golden(`linear/${size}/bias`),
        activation: undefined,
        gate: undefined,
        residual: undefined,
        margin: undefined,
      }
      const want = matrixOf(golden(`linear/${size}/y`), out)
      assertWithin(await onlyOutput(device(), goldenCase, data), want, { error: goldenTolerance, per: 'row' })
    })
  }

  describe('refuses tensors that do not fit', () => {
    const refusals: readonly [string, (make: Make) => void, string][] = [
      [
        'x of another width',
        ({ x, layer, run }) => run({ ...x, shape: [3, 5] }, layer),
        'linear weight: expected shape (8, 5), found (8, 4) in weight',
      ],
      [
        'a bias of another length',
        ({ x, layer, other, run }) => run(x, { ...layer, bias: other('bias', [4]) }),
        'linear bias: expected shape (8), found (4) in bias',
      ],
      [
        'half a bias for a gate',
        ({ x, layer, other, run }) => run(x, { ...layer, bias: other('bias', [4]) }, { gate: 'gelu' }),
        'linear bias: expected shape (8), found (4) in bias',
      ],
      [
        'a residual of the width before the gate',
        ({ x, layer, other, run }) => run(x, layer, { gate: 'gelu', residual: other('residual', [3, 8]) }),
        'linear residual: expected shape (3, 4), found (3, 8) in residual',
      ],
      [
        'a target with other rows',
        ({ x, layer, other, run }) => run(x, layer, { into: other('target', [2, 8]) }),
        'linear y: expected shape (3, 8), found (2, 8) in target',
      ],
      [
        'whole numbers for x',
        ({ layer, other, run }) => run({ ...other('x', [3, 4]), dtype: 'i32' }, layer),
        'linear x: expected dtype f32, found i32 in x',
      ],
      [
        'a weight of bytes',
        ({ x, layer, run }) => run(x, { weight: { ...layer.weight, dtype: 'i8' } }),
        'linear weight: expected dtype f32 or f16 or bf16, found i8 in weight',
      ],
    ]
    interface Make {
      readonly x: Tensor
      readonly layer: { readonly weight: Tensor; readonly bias?: Tensor }
      other(label: string, shape: number[]): Tensor
      run(...rest: Parameters<typeof linear> extends [unknown, ...infer Rest] ? Rest : never): void
    }
    for (const [name, record, message] of refusals) {
      it(name, () => {
        const scope = device().scope()
        try {
          const make: Make = {
            x: scope.scratch('x', [3, 4]),
            layer: { weight: scope.scratch('weight', [8, 4]) },
            other: (label, shape) => scope.scratch(label, shape),
            run: (...rest) => {
              linear(scope, ...rest)
            },
          }
          assertRefused(() => record(make), 'SHAPE_MISMATCH', message)
          ok(scope.commands.length === 0, 'nothing is recorded')
        } finally {
          scope.end()
        }
      })
    }

    it('an activation beside a gate, and a gate on an odd number of rows', () => {
      const scope = device().scope()
      try {
        const x = scope.scratch('x', [3, 4])
        const weight = scope.scratch('weight', [8, 4])
        const y = scope.scratch('y', [3, 4])
        assertRefused(
          () => scope.record(linearOperation, { x, weight, activation: 'gelu', gate: 'silu', y }),
          'INVALID_ARGUMENT',
          'linear: expected an activation or a gate, found both: leave one out',
        )
        assertRefused(
          () => scope.record(linearOperation, { x, weight: scope.scratch('weight', [7, 4]), gate: 'silu', y }),
          'SHAPE_MISMATCH',
          'linear y: expected shape (3, 3.5), found (3, 4) in y',
        )
      } finally {
        scope.end()
      }
    })
  })
})
