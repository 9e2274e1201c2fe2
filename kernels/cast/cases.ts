import { arrayOf, type DtypeArray } from '../../runtime/dtype.ts'
import type { Shape } from '../../runtime/shape.ts'
import { type Case, randomIndices, randomValues, type Tolerance } from '../case.ts'
import { type CastDtype, type CastParameters, castOperation } from './cast.ts'

export interface CastData {
  readonly shape: Shape
  readonly from: CastDtype
  readonly to: CastDtype
  readonly x: DtypeArray
}

const tolerance: Tolerance = { error: 0, per: 'tensor', reason: 'every conversion has one right answer' }

export const loadCast: Case<CastData>['load'] = async (_device, data) => ({
  weights: [],
  record(scope) {
    const x = scope.input('x', data.from, data.shape, data.x)
    const y = scope.scratch('y', data.shape, data.to)
    scope.record(castOperation, { x, y } satisfies CastParameters)
    return [scope.output(y)]
  },
})

function castCase(name: string, from: CastDtype, to: CastDtype, shape: Shape, x: () => DtypeArray): Case<CastData> {
  return {
    operation: castOperation.name,
    name: `${from} to ${to}: ${name}`,
    tolerance,
    nonFinite: true,
    data: () => ({ shape, from, to, x: x() }),
    load: loadCast,
  }
}

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number

/** Ties, ends of ranges and everything next to them. */
const awkwardFloats: readonly number[] = [
  ...[0, -0, nan, infinity, -infinity, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.999999, -0.999999],
  ...[126.9, 127, 127.5, 128, -128, -128.9, -129, 300, -300, 2147483520, 2147483648, -2147483648, -2147483904, 3e38],
  ...[2048, 2049, 2050, 2051, 4098, 4102, 65504, 65519, 65519.996, 65520, 65536, -65520], // halfway between two f16, f16's end
  ...[2 ** -14, 2 ** -14 - 2 ** -26, 2 ** -24, 2 ** -25, 2 ** -25 * 1.0000001, 3 * 2 ** -25, 2 ** -26, -(2 ** -25)],
  ...[2 ** -126, 2 ** -133, 2 ** -134, 3 * 2 ** -134, 2 ** -149, -(2 ** -149), 1e-40], // subnormal numbers
  ...[256, 257, 258, 259, 1.00390625, 1.01171875], // ties between two bf16
  ...[(2 - 2 ** -7) * 2 ** 127, (2 - 2 ** -8) * 2 ** 127, (2 - 2 ** -8) * 2 ** 127 - 2 ** 104], // the end of bf16
]

/** Every 61st pattern of 16 bits, and the ends of what they mean. */
function halfPatterns(): Uint16Array {
  const ends = [0x7c00, 0xfc00, 0x7e00, 0x7c01, 0x7bff, 0xfbff, 0x03ff, 0x0400, 0x8001, 0x7f80, 0xff80, 0x7f7f, 0x007f]
  return Uint16Array.from([...ends, ...Array.from({ length: 1075 }, (_, i) => i * 61)])
}

const awkwardIntegers = [
  ...[0, 1, -1, 127, 128, -128, -129, 255, 256, 257, 2049, 2051, 65519, 65520, -65520, 16777217, 16777219, 33554435],
  ...[2147483647, -2147483648, 2147483583, 8421376, 8454144, -8421377],
]

function awkwardValues(from: CastDtype): DtypeArray {
  switch (from) {
    case 'f32':
      return Float32Array.from([...awkwardFloats, ...randomValues('cast f32', 300, 60)])
    case 'f16':
    case 'bf16':
      return halfPatterns()
    case 'i32':
      return Int32Array.from([...awkwardIntegers, ...randomIndices('cast i32', 300, 2 ** 31)])
    case 'i8':
      return Int8Array.from({ length: 256 }, (_, i) => i - 128)
  }
}

const dtypes: readonly CastDtype[] = ['f32', 'f16', 'bf16', 'i8', 'i32']

export function castCases(): Case<CastData>[] {
  return [
    ...dtypes.flatMap((from) =>
      dtypes.map((to) => castCase('awkward values', from, to, [awkwardValues(from).length], () => awkwardValues(from))),
    ),
    ...dtypes.flatMap((dtype) => [
      castCase('nothing', dtype, 'f32', [0, 7], () => arrayOf(dtype, 0)),
      castCase('1 element', 'f32', dtype, [], () => Float32Array.of(-3)),
      castCase('3 elements', dtype, 'f32', [3], () => arrayOf(dtype, 3).fill(1)),
    ]),
    castCase('more than 16384 elements', 'f32', 'f16', [3, 83, 67], () => randomValues('cast long', 3 * 83 * 67)),
    castCase('more than 4096 elements', 'f16', 'f32', [8191], () =>
      Uint16Array.from({ length: 8191 }, (_, i) => i * 8),
    ),
  ]
}
