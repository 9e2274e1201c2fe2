import { deepEqual, equal, ok } from 'node:assert/strict'
import { columnScales } from '../../models/balance.ts'

const scaleOf = (weight: number, bias: number) => columnScales(Float32Array.of(weight), Float32Array.of(bias))[0]!

describe('scales of the columns between a layer norm and its matrix', () => {
  const cases: [weight: number, bias: number, scale: number][] = [
    [1, 0, 1],
    [-1, 0, 1],
    [0, 4, 4],
    [3, 4, 4], // 5 is nearer to 4 than to 8, in ratio
    [5, -4, 8], // 6.4 is nearer to 8
    [0.1, 0, 0.125],
    [1.41, 0, 1],
    [1.42, 0, 2],
    [0, 0, 2 ** -24],
    [1e-45, 0, 2 ** -24],
    [3e38, 0, 2 ** 24],
  ]
  for (const [weight, bias, scale] of cases) {
    it(`weight ${weight}, bias ${bias}: ${scale}`, () => equal(scaleOf(weight, bias), scale))
  }

  it('is a power of two within √2 of the root of weight² + bias²', () => {
    const weight = Float32Array.from({ length: 2000 }, (_, i) => 1.01 ** (i - 1000) * Math.sin(i))
    const bias = Float32Array.from({ length: 2000 }, (_, i) => 1.01 ** (i - 1000) * Math.cos(3 * i))
    const scales = columnScales(weight, bias)
    deepEqual(
      scales.map((scale) => scale - 2 ** Math.round(Math.log2(scale))),
      new Float32Array(2000),
    )
    for (const [k, scale] of scales.entries()) {
      const ratio = Math.hypot(weight[k]!, bias[k]!) / scale
      ok(ratio >= Math.SQRT1_2 * 0.9999999 && ratio <= Math.SQRT2 * 1.0000001, `column ${k}: ${ratio}`)
    }
  })
})
