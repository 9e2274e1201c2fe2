import { deepEqual, equal, fail, ok, throws } from 'node:assert/strict'
import { type Case, errorOf, runCase, type Tolerance } from '../../kernels/case.ts'
import type { Device } from '../../runtime/device.ts'
import { type DtypeArray, toF32 } from '../../runtime/dtype.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { type DeviceUnderTest, present } from '../devices.ts'
import { casesOnly } from '../webgpu.ts'
import type { Matrix } from './naive.ts'

/** A describe block per device that has the operation, with one device for all its tests. */
export function onEveryDevice(
  title: string,
  operation: string,
  body: (device: () => Device, under: DeviceUnderTest) => void,
): void {
  for (const under of present) {
    describe(`${title} on ${under.name}`, () => {
      if (!under.operations.includes(operation)) {
        it.skip(`${under.name} has no kernel for ${operation} yet`)
        return
      }
      let device: Device | undefined
      before(async () => {
        device = await under.create()
      })
      after(() => device?.dispose())
      body(() => device!, under)
    })
  }
}

/** Every case against the float64 computation, `expected`: rows of the output. */
export function itComputes<Data>(
  device: () => Device,
  { tolerance }: DeviceUnderTest,
  cases: readonly Case<Data>[],
  expected: (data: Data) => Matrix,
): void {
  for (const item of cases) {
    it(item.name, async () => {
      const data = item.data()
      const got = await onlyOutput(device(), item, data)
      const want = known(expected, item.name, data)
      if (!item.nonFinite) ok(want.flat().every(Number.isFinite), 'the case says that every value is finite')
      assertWithin(got, want, { ...item.tolerance, error: tolerance(item.tolerance.error) })
    })
  }
}

const results = new WeakMap<object, Map<string, Matrix>>()

/** `expected(data)`: computed once for all devices. */
function known<Data>(expected: (data: Data) => Matrix, name: string, data: Data): Matrix {
  const table = results.get(expected) ?? new Map<string, Matrix>()
  results.set(expected, table)
  const want = table.get(name) ?? expected(data)
  table.set(name, want)
  return want
}

export function assertWithin(got: ArrayLike<number>, want: Matrix, { error, per }: Pick<Tolerance, 'error' | 'per'>) {
  const flat = want.flat()
  const width = want[0]?.length ?? 0
  const found = errorOf(got, flat, width, per)
  if (!(found.error <= error)) {
    const place = `row ${Math.floor(found.at / width)}, column ${found.at % width}`
    fail(`${place}: ${got[found.at]}, expected ${flat[found.at]}; error ${found.error}, allowed ${error}`)
  }
}

type Loadable<Data> = Pick<Case<Data>, 'operation' | 'name' | 'load'>

/** The case's one output as numbers; checks what every recorded operation must keep to. */
export async function onlyOutput<Data>(device: Device, item: Loadable<Data>, data: Data): Promise<Float32Array> {
  const outputs = await runCase(device, { load: checkedLoad(item) }, data)
  equal(outputs.length, 1)
  return toF32('f32', outputs[0]!)
}

/** `item.load` that also looks at what was recorded. */
export function checkedLoad<Data>(item: Loadable<Data>): Case<Data>['load'] {
  return async (device, data) => {
    const loaded = await item.load(device, data)
    return {
      ...loaded,
      record(scope) {
        const outputs = loaded.record(scope)
        equal(scope.commands.length, 1, 'a case records one operation')
        const { operation, parameters } = scope.commands[0]!
        equal(operation.name, item.operation)
        for (const cost of [operation.flops(parameters), operation.bytes(parameters)]) {
          ok(Number.isInteger(cost) && cost >= 0, `${item.name}: a cost of ${cost}`)
        }
        return outputs
      },
    }
  }
}

export interface Part<Data> {
  /** First element of the output that this part computes. */
  readonly at: number
  readonly data: Data
}

/** Each part computed alone has the bits that it has among the others; a second run has the bits of the first. */
export function itKeepsBits<Data>(
  device: () => Device,
  cases: readonly Case<Data>[],
  partsOf: (data: Data) => readonly Part<Data>[],
): void {
  it('gives the same bits alone and in any batch', async function () {
    if (casesOnly && device().info.device === 'webgpu') this.skip()
    let compared = 0
    for (const item of cases.filter(({ nonFinite }) => !nonFinite)) {
      const data = item.data()
      const whole = await onlyOutput(device(), item, data)
      for (const part of some(partsOf(data))) {
        const alone = await onlyOutput(device(), item, part.data)
        deepEqual(bits(whole.subarray(part.at, part.at + alone.length)), bits(alone), `${item.name}, from ${part.at}`)
        compared += alone.length
      }
    }
    ok(compared > 0)
  })

  it('gives the same bits run after run, and leaves its inputs alone', async function () {
    if (casesOnly && device().info.device === 'webgpu') this.skip()
    for (const item of cases.filter(({ nonFinite }) => !nonFinite)) {
      const data = item.data()
      const first = await onlyOutput(device(), item, data)
      const second = await onlyOutput(device(), item, data)
      deepEqual(bits(second), bits(first), item.name)
    }
  })
}

/** The first two, the last two and up to four between. */
function some<T>(parts: readonly T[]): T[] {
  const middle = [0.2, 0.4, 0.6, 0.8].map((share) => Math.floor(share * parts.length))
  const chosen = new Set([0, 1, ...middle, parts.length - 2, parts.length - 1])
  return parts.filter((_, index) => chosen.has(index))
}

export function bits(values: DtypeArray): Uint8Array {
  return new Uint8Array(values.slice().buffer)
}

/** Recording fails with this code and text. */
export function assertRefused(record: () => unknown, code: BareclipError['code'], message: string): void {
  throws(record, (error) => {
    ok(error instanceof BareclipError, `not ours: ${error}`)
    equal(error.message, message)
    equal(error.code, code)
    return true
  })
}
