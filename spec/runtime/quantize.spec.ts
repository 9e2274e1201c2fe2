import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { randomValues, withValues } from '../../kernels/case.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { dequantizeRows, largestCode, type Precision, quantizeRows, scalesPerRow } from '../../runtime/quantize.ts'

const precisions: readonly Precision[] = ['q8', 'q12']
const largestFloat = 3.4028234663852886e38

/** One row that fits one scale. */
function quantizeOne(values: readonly number[], precision: Precision): { codes: number[]; scale: number } {
  const { codes, scales } = quantizeRows(Float32Array.from(values), values.length, precision, 'w')
  equal(scales.length, 1)
  return { codes: Array.from(codes), scale: scales[0]! }
}

describe('quantizeRows', () => {
  it('holds q8 in int8 up to 127, q12 in int16 up to 2047', () => {
    const values = Float32Array.of(1, -1, 0.5)
    const q8 = quantizeRows(values, 3, 'q8', 'w')
    ok(q8.codes instanceof Int8Array)
    deepEqual(Array.from(q8.codes), [127, -127, 64]) // 63.5 is a tie
    deepEqual(q8.scales, Float32Array.of(1 / 127))
    const q12 = quantizeRows(values, 3, 'q12', 'w')
    ok(q12.codes instanceof Int16Array)
    deepEqual(Array.from(q12.codes), [2047, -2047, 1024]) // 1023.5 is a tie
    deepEqual(q12.scales, Float32Array.of(1 / 2047))
  })

  for (const precision of precisions) {
    const largest = largestCode[precision]

    describe(precision, () => {
      it('rounds to the nearest code, ties to even', () => {
        for (const scale of [1, 2 ** -20, 2 ** 90]) {
          const units = [
            largest,
            0.5,
            1.5,
            2.5,
            3.5,
            -0.5,
            -1.5,
            -2.5,
            0.49999997,
            0.50000006,
            largest - 1.5,
            1 - largest,
          ]
          const want = [largest, 0, 2, 2, 4, 0, -2, -2, 0, 1, largest - 1, 1 - largest]
          const got = quantizeOne(
            units.map((unit) => unit * scale),
            precision,
          )
          deepEqual(got, { codes: want, scale })
        }
      })

      it('gives zeros and columns whose scale would be no normal number the codes 0 and the scale 0', () => {
        const smallest = 2 ** -126 * largest
        for (const values of [
          [0, 0],
          [-0, 0],
          [1e-45, -1e-40],
          [2 ** -126, 0],
          [smallest * (1 - 2 ** -20), 1e-45],
        ]) {
          deepEqual(quantizeOne(values, precision), { codes: [0, 0], scale: 0 }, String(values))
        }
        const { codes, scale } = quantizeOne([smallest, -smallest, 2 ** -126, 2 ** -128], precision)
        deepEqual(codes, [largest, -largest, 1, 0])
        equal(scale, 2 ** -126)
      })

      it('takes the largest float32 numbers', () => {
        const { codes, scale } = quantizeOne([largestFloat, -largestFloat, 1, 0], precision)
        deepEqual(codes, [largest, -largest, 0, 0])
        ok(Math.abs(scale * largest - largestFloat) <= 2 ** -22 * largestFloat)
        // and they stay finite
        for (const value of [largestFloat, -largestFloat, largestFloat * (1 - 2 ** -24), 2 ** 127]) {
          const restored = dequantizeRows(quantizeRows(Float32Array.of(value), 1, precision, 'w'), 1)[0]!
          ok(Math.abs(restored - value) <= 2 ** -21 * Math.abs(value), `${value} became ${restored}`)
        }
      })

      it('never leaves its range, whatever the largest number', () => {
        const maxima = randomValues('maxima', 4000)
        for (const sign of [1, -1]) {
          const values = maxima.map((value) => sign * Math.abs(value))
          const { codes } = quantizeRows(values, 1, precision, 'w')
          ok(codes.every((code, i) => code === (values[i] === 0 ? 0 : sign * largest)))
        }
      })

      for (const width of [1, 63, 64, 65, 341]) {
        it(`has a scale per 64 columns of a row, each its own: width ${width}`, () => {
          const rows = 5
          const perRow = Math.ceil(width / 64)
          equal(scalesPerRow(width), perRow)
          // every 64 columns of every row a hundred times larger than those before
          const blockOf = (i: number) => Math.floor(i / width) * perRow + Math.floor((i % width) / 64)
          const values = randomValues('w', rows * width).map((value, i) => value * 100 ** (blockOf(i) - 14))
          const quantized = quantizeRows(values, width, precision, 'w')
          equal(quantized.codes.length, rows * width)
          equal(quantized.scales.length, rows * perRow)
          const most = new Float64Array(rows * perRow)
          values.forEach((value, i) => {
            most[blockOf(i)] = Math.max(most[blockOf(i)]!, Math.abs(value))
          })
          deepEqual(
            quantized.scales,
            Float32Array.from(most, (value) => value / largest),
          )
          const restored = dequantizeRows(quantized, width)
          values.forEach((value, i) => {
            const scale = quantized.scales[blockOf(i)]!
            equal(restored[i], Math.fround(quantized.codes[i]! * scale))
            // half a step, and the rounding of the product
            ok(Math.abs(value - restored[i]!) <= scale * (0.5 + largest * 2 ** -23), `${value} became ${restored[i]}`)
          })
        })
      }

      it('refuses NaN and infinity, and says where', () => {
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          for (const [at, row] of [
            [0, 0],
            [64, 0],
            [65, 1],
            [129, 1],
            [259, 3],
          ] as const) {
            const values = withValues(randomValues('w', 260), { [at]: value })
            throws(
              () => quantizeRows(values, 65, precision, 'blocks.3.mlp.weight'),
              (error) => {
                ok(error instanceof BareclipError)
                equal(error.code, 'NOT_FINITE')
                equal(
                  error.message,
                  `blocks.3.mlp.weight has NaN or infinity in row ${row}: codes need finite weights; use dtype f32 or f16`,
                )
                return true
              },
            )
          }
        }
      })

      it('takes no rows and no columns', () => {
        for (const width of [0, 7]) {
          const { codes, scales } = quantizeRows(new Float32Array(0), width, precision, 'w')
          deepEqual([codes.length, scales.length], [0, 0])
        }
      })
    })
  }
})
