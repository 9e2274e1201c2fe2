import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { randomValues, runCase } from '../../kernels/case.ts'
import { type LinearData, loadLinear } from '../../kernels/linear/cases.ts'
import { type CodeDtype, codesOf, quantizedLinearCases } from '../../kernels/linear/quantized-cases.ts'
import type { Device } from '../../runtime/device.ts'
import { type DtypeArray, toF32 } from '../../runtime/dtype.ts'
import { devices } from '../devices.ts'
import { assertWithin, bits } from './check.ts'
import { activations, type Matrix, matrixOf } from './naive.ts'

// What the wasm device computes on codes, step by step with plain numbers: the integers must be the same, so only float32
// rounding is allowed for.

/** Largest magnitude of an activation's code. */
const limits: Readonly<Record<CodeDtype, number>> = { i8: 32767, i16: 16392 }

/** To the nearest integer, ties to even. */
function nearestEven(value: number): number {
  const below = Math.floor(value)
  const above = value - below
  return above < 0.5 || (above === 0.5 && below % 2 === 0) ? below : below + 1
}

/** A row of activations as integers, x ≈ code · scale. */
function encode(row: readonly number[], limit: number): { codes: number[]; scale: number } {
  if (!row.every(Number.isFinite)) return { codes: row.map(() => 0), scale: Number.NaN }
  let scale = Math.fround(Math.max(0, ...row.map(Math.abs)) / limit)
  if (Math.fround(scale * limit) === Number.POSITIVE_INFINITY) scale = Math.fround(scale * (1 - 2 ** -23))
  if (scale < 2 ** -126) return { codes: row.map(() => 0), scale: 0 }
  return { codes: row.map((x) => nearestEven(Math.fround(x / scale))), scale }
}

/** (rows, out). Throws if a sum over 64 columns leaves int32. */
function simulated(data: LinearData): Matrix {
  const { width, out, activation, gate, bias } = data
  const codes = matrixOf(data.weight.values, width)
  const scales = matrixOf(data.scale!.values, Math.ceil(width / 64))
  const residual = data.residual && matrixOf(data.residual, out)
  return matrixOf(data.x, width).map((x, row) => {
    const a = encode(x, limits[data.weight.dtype as CodeDtype])
    const sums = codes.map((w, n) => {
      let total = 0
      for (let start = 0; start < width; start += 64) {
        let sum = 0
        for (let k = start; k < Math.min(width, start + 64); k++) sum += a.codes[k]! * w[k]!
        ok(Math.abs(sum) < 2 ** 31)
        total += sum * scales[n]![start / 64]!
      }
      return total * a.scale + (bias ? bias[n]! : 0)
    })
    return Array.from({ length: out }, (_, n) => {
      let value = sums[n]!
      if (activation) value = activations[activation](value)
      if (gate) value = activations[gate](value) * sums[n + out]!
      return value + (residual ? residual[row]![n]! : 0)
    })
  })
}

/** Float32 rounding alone, of each block's sum, product and addition and of what follows. */
function roundingOf({ width, gate }: LinearData): number {
  return 2 ** -24 * ((gate ? 32 : 8) + 2 * Math.sqrt(width / 64))
}

function plain(x: Float32Array, rows: number, width: number, codes: Pick<LinearData, 'weight' | 'scale'>): LinearData {
  return {
    rows,
    width,
    out: codes.weight.shape[0]!,
    x,
    ...codes,
    bias: undefined,
    activation: undefined,
    gate: undefined,
    residual: undefined,
    margin: undefined,
  }
}

/** A weight that gives back the codes times the row's scale: the unit matrix, scales 1. */
function unit(width: number, dtype: CodeDtype): Pick<LinearData, 'weight' | 'scale'> {
  const values = dtype === 'i8' ? new Int8Array(width * width) : new Int16Array(width * width)
  for (let k = 0; k < width; k++) values[k * (width + 1)] = 1
  const perRow = Math.ceil(width / 64)
  const ones: DtypeArray = new Float32Array(width * perRow).fill(1)
  return {
    weight: { shape: [width, width], dtype, values },
    scale: { shape: [width, perRow], dtype: 'f32', values: ones },
  }
}

async function compute(device: Device, data: LinearData): Promise<Float32Array> {
  return toF32('f32', (await runCase(device, { load: loadLinear }, data))[0]!)
}

/** The device, but matrices are written a row at a time, the last row first. */
function rowByRow(device: Device): Device {
  return {
    ...device,
    async write(weight, from, values) {
      const width = weight.shape[1]!
      for (let start = values.length - width; start >= 0; start -= width) {
        await device.write(weight, from, values.slice(start, start + width), start)
      }
    },
  }
}

const wasmDevices = devices.filter(({ device }) => device === 'wasm')

for (const under of wasmDevices) {
  describe(`linear on codes, integer by integer, on ${under.name}`, () => {
    let device: Device
    before(async () => {
      device = await under.create()
    })
    after(() => device.dispose())

    for (const item of quantizedLinearCases().filter(({ nonFinite }) => !nonFinite)) {
      it(item.name, async () => {
        const data = { ...item.data(), margin: undefined }
        const want = simulated(data)
        assertWithin(await compute(device, data), want, { error: roundingOf(data), per: item.tolerance.per })
      })
    }

    for (const dtype of ['i8', 'i16'] as const) {
      const limit = limits[dtype]

      it(`${dtype}: rounds activations to the nearest code, ties to even`, async () => {
        // the scale is 1/4, 2^-30 and 2^100; halves are ties
        for (const scale of [0.25, 2 ** -30, 2 ** 100]) {
          const codes = [
            limit,
            0.5,
            1.5,
            2.5,
            -0.5,
            -1.5,
            -2.5,
            1000.5,
            1001.5,
            -1001.5,
            0.49999997,
            0.50000006,
            limit - 0.5,
          ]
          const row = Float32Array.from({ length: 70 }, (_, k) => (codes[k] ?? k / 7) * scale)
          const want = [limit, 0, 2, 2, 0, -2, -2, 1000, 1002, -1002, 0, 1, 2 * Math.round((limit - 0.5) / 2)]
          const got = await compute(device, plain(row, 1, 70, unit(70, dtype)))
          deepEqual(
            Array.from(got.subarray(0, want.length), (value) => value / scale + 0),
            want,
          )
        }
      })

      it(`${dtype}: has exactly the integers of the simulation at every width and row`, async () => {
        for (const width of [1, 2, 3, 63, 64, 65, 127, 130]) {
          const rows = 9
          const x = randomValues(`codes ${width}`, rows * width, 3)
          const got = await compute(device, plain(x, rows, width, unit(width, dtype)))
          const want = matrixOf(x, width).flatMap((row) => {
            const { codes, scale } = encode(row, limit)
            return codes.map((code) => Math.fround(code * scale) + 0)
          })
          deepEqual(Array.from(got), want, `width ${width}`)
        }
      })

      it(`${dtype}: the largest float32 numbers, and rows at the smallest scale`, async () => {
        const largest = 3.4028234663852886e38
        const smallest = Math.fround(2 ** -126 * limit)
        const below = smallest * (1 - 2 ** -20)
        const x = Float32Array.of(largest, -largest, 0, smallest, -smallest, 0, below, -below, 1e-45)
        const got = await compute(device, plain(x, 3, 3, unit(3, dtype)))
        const nearly = got[0]!
        ok(Math.abs(nearly - largest) <= 2 ** -21 * largest)
        deepEqual(Array.from(got), [nearly, -nearly, 0, smallest, -smallest, 0, 0, 0, 0])
      })

      it(`${dtype}: a row without numbers is its bias and residual, to the bit`, async () => {
        const width = 70
        const bias = randomValues('bias', 9)
        const residual = randomValues('residual', 27)
        const x = Float32Array.from({ length: 3 * width }, (_, i) => (i < width ? 0 : i < 2 * width ? -0 : 1e-41))
        const codes = codesOf(randomValues('weight', 9 * width), width, dtype)
        const got = await compute(device, { ...plain(x, 3, width, codes), bias, residual })
        deepEqual(
          got,
          residual.map((value, i) => Math.fround(value + bias[i % 9]!)),
        )
      })

      it(`${dtype}: a row with NaN or infinity is NaN throughout, the others are as without it`, async () => {
        for (const width of [5, 64, 341]) {
          const rows = 11
          const codes = codesOf(randomValues('weight', 19 * width), width, dtype)
          const x = randomValues('x', rows * width)
          const clean = await compute(device, plain(x, rows, width, codes))
          for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
            for (const row of [0, 3, 9, 10]) {
              const broken = x.slice()
              broken[row * width + ((row * 7) % width)] = value
              const want = clean.map((y, i) => (Math.floor(i / 19) === row ? Number.NaN : y))
              deepEqual(Array.from(await compute(device, plain(broken, rows, width, codes))), Array.from(want))
            }
          }
        }
      })

      it(`${dtype}: the same weight whether written whole or in rows`, async () => {
        const width = 131
        const { weight, scale } = codesOf(randomValues('weight', 21 * width), width, dtype)
        const x = randomValues('x', 3 * width)
        const data = plain(x, 3, width, { weight, scale })
        deepEqual(bits(await compute(rowByRow(device), data)), bits(await compute(device, data)))
      })
    }

    it('takes codes only as they are', async () => {
      const weight = device.allocate({ label: 'w', role: 'matrix', shape: [2, 3], dtype: 'i8' })
      equal(weight.storage.bytes, 8 * 64)
      const refused = (from: string) => ({ message: `bareclip bug: codes are written as they are: ${from} into i8` })
      await rejects(device.write(weight, 'f32', new Float32Array(6)), refused('f32'))
      await rejects(device.write(weight, 'i16', new Int16Array(6)), refused('i16'))
      device.free(weight)
    })
  })
}

describe('linear on codes', () => {
  it('gives the same bits on every wasm device, whatever its number of threads', async () => {
    const results: Uint8Array[][] = []
    for (const under of wasmDevices) {
      const device = await under.create()
      const found: Uint8Array[] = []
      for (const item of quantizedLinearCases()) found.push(bits(await compute(device, item.data())))
      results.push(found)
      device.dispose()
    }
    for (const found of results.slice(1)) deepEqual(found, results[0])
  })
})
