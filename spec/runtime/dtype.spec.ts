import assert from 'node:assert/strict'
import {
  arrayOf,
  bf16ToF32,
  bytesPerElement,
  convert,
  type Dtype,
  type DtypeArray,
  f16ToF32,
  f32ToBf16,
  f32ToF16,
  toF32,
  viewOf,
} from '../../runtime/dtype.ts'

const word = new DataView(new ArrayBuffer(4))

function float(bits: number): number {
  word.setInt32(0, bits)
  return word.getFloat32(0)
}

function bitsOf(value: number): number {
  word.setFloat32(0, value)
  return word.getInt32(0)
}

/** The float32 beside a positive one, `step` places up. */
const neighbour = (value: number, step: number) => float(bitsOf(value) + step)

/** What a pattern of 1 + exponentBits + fractionBits bits stands for, from the definition in IEEE 754. */
function define(bits: number, exponentBits: number, fractionBits: number): number {
  const bias = 2 ** (exponentBits - 1) - 1
  const sign = bits >>> (exponentBits + fractionBits) ? -1 : 1
  const exponent = (bits >>> fractionBits) & (2 ** exponentBits - 1)
  const fraction = bits & (2 ** fractionBits - 1)
  if (exponent === 2 ** exponentBits - 1) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits)
  return sign * (1 + fraction / 2 ** fractionBits) * 2 ** (exponent - bias)
}

interface Half {
  readonly dtype: 'f16' | 'bf16'
  readonly widen: (bits: number) => number
  readonly narrow: (value: number) => number
  readonly define: (bits: number) => number
  readonly infinity: number // the bits
  readonly quiet: number // the highest fraction bit
}

const halves: readonly Half[] = [
  {
    dtype: 'f16',
    widen: f16ToF32,
    narrow: f32ToF16,
    define: (bits) => define(bits, 5, 10),
    infinity: 0x7c00,
    quiet: 0x200,
  },
  {
    dtype: 'bf16',
    widen: bf16ToF32,
    narrow: f32ToBf16,
    define: (bits) => define(bits, 8, 7),
    infinity: 0x7f80,
    quiet: 0x40,
  },
]

const allPatterns = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits)

function isNaNPattern(bits: number, { infinity }: Half): boolean {
  return (bits & 0x7fff) > infinity
}

for (const half of halves) {
  describe(`dtype ${half.dtype}`, () => {
    it('widens all 65536 patterns to the value that they define, sign of zero included', () => {
      for (const bits of allPatterns) {
        const expected = half.define(bits)
        if (!Object.is(half.widen(bits), expected)) assert.equal(half.widen(bits), expected, `0x${bits.toString(16)}`)
      }
    })

    it('narrows every widened pattern back to itself, NaNs to NaNs of the same sign', () => {
      for (const bits of allPatterns) {
        const back = half.narrow(half.widen(bits))
        if (!isNaNPattern(bits, half)) assert.equal(back, bits)
        else assert.ok(isNaNPattern(back, half), `0x${bits.toString(16)} became 0x${back.toString(16)}`)
      }
    })

    it('rounds to nearest, ties to even, between any two neighbours of either sign', () => {
      for (let low = 0; low < half.infinity - 1; low++) {
        const middle = (half.define(low) + half.define(low + 1)) / 2
        const even = low % 2 === 0 ? low : low + 1
        // Half of bfloat16's smallest subnormal is a float32 as well, so `middle` is exact everywhere.
        assert.equal(Math.fround(middle), middle)
        for (const [value, expected] of [
          [middle, even],
          [neighbour(middle, -1), low],
          [neighbour(middle, 1), low + 1],
        ] as const) {
          if (half.narrow(value) !== expected || half.narrow(-value) !== (expected | 0x8000)) {
            assert.equal(half.narrow(value), expected, `${value}`)
            assert.equal(half.narrow(-value), expected | 0x8000, `${-value}`)
          }
        }
      }
    })

    it('goes to infinity from halfway past the largest value on', () => {
      const largest = half.define(half.infinity - 1)
      const threshold = largest + (largest - half.define(half.infinity - 2)) / 2
      assert.equal(half.narrow(largest), half.infinity - 1)
      assert.equal(half.narrow(neighbour(threshold, -1)), half.infinity - 1)
      assert.equal(half.narrow(threshold), half.infinity)
      assert.equal(half.narrow(-threshold), half.infinity | 0x8000)
      assert.equal(half.narrow(3.4e38), half.infinity)
      assert.equal(half.narrow(Number.POSITIVE_INFINITY), half.infinity)
      assert.equal(half.narrow(Number.NEGATIVE_INFINITY), half.infinity | 0x8000)
    })

    it('keeps zeros, and values too small for it, by sign', () => {
      assert.equal(half.narrow(0), 0)
      assert.equal(half.narrow(-0), 0x8000)
      assert.equal(half.narrow(1e-45), 0)
      assert.equal(half.narrow(-1e-45), 0x8000)
    })

    it('rounds doubles to float32 first', () => {
      // 1 + ulp/2 + a bit that only a double can hold: above the tie as a double, on it as a float32.
      const one = half.narrow(1)
      const ulp = half.define(one + 1) - 1
      assert.equal(half.narrow(1 + ulp / 2 + 2 ** -40), one)
    })

    it('convert agrees with the scalar functions for every pattern and keeps a NaN’s sign and payload', () => {
      const wide = new Float32Array(allPatterns.length)
      convert(half.dtype, allPatterns, 'f32', wide)
      const wideBits = new Int32Array(wide.buffer)
      const back = new Uint16Array(allPatterns.length)
      convert('f32', wide, half.dtype, back)
      for (const bits of allPatterns) {
        if (isNaNPattern(bits, half)) {
          const payload = half.dtype === 'f16' ? (bits & 0x3ff) << 13 : (bits & 0x7f) << 16
          assert.equal(wideBits[bits], ((bits & 0x8000) << 16) | 0x7f800000 | payload)
          assert.equal(back[bits], bits | half.quiet) // a signalling NaN becomes quiet
        } else {
          assert.equal(wideBits[bits], bitsOf(half.define(bits)))
          assert.equal(back[bits], bits)
        }
      }
    })

    it('a NaN with its payload in the low bits alone stays a NaN', () => {
      const source = new Float32Array(Int32Array.of(0x7f800001, 0xff800001 | 0).buffer)
      const target = new Uint16Array(2)
      convert('f32', source, half.dtype, target)
      assert.deepEqual([...target], [half.infinity | half.quiet, 0x8000 | half.infinity | half.quiet])
    })

    it('converts any length at any offset of its buffer and touches nothing around it', () => {
      const values = [1, -2, 0.5, 3, -0, 0.25, 7, 8, 9]
      for (let length = 0; length <= values.length; length++) {
        const narrow = new Uint16Array(length + 3).fill(0x1234)
        convert(
          'f32',
          Float32Array.of(9, ...values).subarray(1, 1 + length),
          half.dtype,
          narrow.subarray(1, 1 + length),
        )
        assert.deepEqual([narrow[0], narrow[length + 1], narrow[length + 2]], [0x1234, 0x1234, 0x1234])
        const wide = new Float32Array(length + 3).fill(42)
        convert(half.dtype, narrow.subarray(1, 1 + length), 'f32', wide.subarray(1, 1 + length))
        assert.deepEqual([...wide], [42, ...values.slice(0, length), 42, 42])
      }
    })
  })
}

describe('dtype convert', () => {
  const integerCases: ReadonlyArray<readonly [number, number, number]> = [
    // value, as i8, as i32
    [0, 0, 0],
    [-0, 0, 0],
    [0.999, 0, 0],
    [-0.999, 0, 0],
    [1.5, 1, 1],
    [-1.5, -1, -1],
    [127, 127, 127],
    [127.9, 127, 127],
    [128, 127, 128],
    [-128.9, -128, -128],
    [-129, -128, -129],
    [256, 127, 256],
    [2147483520, 127, 2147483520], // the largest float32 below 2^31
    [2147483648, 127, 2147483647],
    [-2147483648, -128, -2147483648],
    [-2147483904, -128, -2147483648],
    [3e38, 127, 2147483647],
    [-3e38, -128, -2147483648],
    [Number.POSITIVE_INFINITY, 127, 2147483647],
    [Number.NEGATIVE_INFINITY, -128, -2147483648],
    [Number.NaN, 0, 0],
  ]

  it('f32 to i8 and i32 truncates towards zero, saturates, NaN to 0', () => {
    const source = Float32Array.from(integerCases, ([value]) => value)
    for (const [dtype, column] of [
      ['i8', 1],
      ['i32', 2],
    ] as const) {
      const target = arrayOf(dtype, source.length)
      convert('f32', source, dtype, target)
      assert.deepEqual(
        [...target],
        integerCases.map((row) => row[column]),
      )
    }
  })

  it('f16 and bf16 to i8 and i32 saturates too', () => {
    const target = new Int8Array(4)
    convert('f16', Uint16Array.of(0x7c00, 0xfc00, 0x7e00, 0x5bf8), 'i8', target)
    assert.deepEqual([...target], [127, -128, 0, 127]) // the last is 255
    const wide = new Int32Array(3)
    convert('bf16', Uint16Array.of(0x7f80, 0xff80, 0x4f00), 'i32', wide)
    assert.deepEqual([...wide], [2147483647, -2147483648, 2147483647]) // the last is 2^31
  })

  const values = [0, 1, -1, 2, -2, 100, -100, 127, -128]
  const dtypes: readonly Dtype[] = ['f32', 'f16', 'bf16', 'i8', 'i32']
  for (const from of dtypes) {
    for (const to of dtypes) {
      it(`${from} to ${to} keeps small integers`, () => {
        const source = arrayOf(from, values.length)
        convert('f32', Float32Array.from(values), from, source)
        const target = arrayOf(to, values.length)
        convert(from, source, to, target)
        assert.deepEqual([...toF32(to, target)], values)
      })
    }
  }

  it('i32 to f32 rounds to nearest even', () => {
    const target = new Float32Array(3)
    convert('i32', Int32Array.of(16777217, 16777219, -2147483648), 'f32', target)
    assert.deepEqual([...target], [16777216, 16777220, -2147483648])
  })

  it('i32 to i8 saturates', () => {
    const target = new Int8Array(3)
    convert('i32', Int32Array.of(300, -300, 5), 'i8', target)
    assert.deepEqual([...target], [127, -128, 5])
  })

  it('refuses arrays of different lengths or of the wrong kind instead of writing part of them', () => {
    const target = new Float32Array(3).fill(7)
    assert.throws(() => convert('f16', new Uint16Array(4), 'f32', target), /bareclip bug: convert of 4 elements into 3/)
    assert.throws(() => convert('f16', new Uint16Array(2), 'f32', target), /convert of 2 elements into 3/)
    assert.throws(() => convert('f16', new Uint16Array(3), 'f32', new Int8Array(3)), /Float32Array/)
    assert.throws(() => convert('f16', new Int8Array(3), 'f32', target), /Uint16Array/)
    assert.deepEqual([...target], [7, 7, 7])
  })

  it('toF32 hands f32 through without a copy', () => {
    const array = Float32Array.of(1, 2)
    assert.equal(toF32('f32', array), array)
  })
})

describe('dtype viewOf', () => {
  const kinds: ReadonlyArray<readonly [Dtype, { new (length: number): DtypeArray }]> = [
    ['f32', Float32Array],
    ['f16', Uint16Array],
    ['bf16', Uint16Array],
    ['i8', Int8Array],
    ['i32', Int32Array],
  ]
  const little = Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 192) // 1 and -2 as float32

  for (const [dtype, kind] of kinds) {
    it(`${dtype}: a view where aligned, a copy where not, the same elements in any case`, () => {
      const expected = [...viewOf(dtype, little)]
      assert.equal(expected.length, little.length / bytesPerElement[dtype])
      for (let offset = 0; offset < 9; offset++) {
        const room = new Uint8Array(32)
        room.set(little, offset)
        const bytes = room.subarray(offset, offset + little.length)
        const view = viewOf(dtype, bytes)
        assert.ok(view instanceof kind)
        assert.deepEqual([...view], expected, `offset ${offset}`)
        assert.equal(view.buffer === room.buffer, offset % bytesPerElement[dtype] === 0)
      }
    })
  }

  it('reads little-endian', () => {
    assert.deepEqual([...viewOf('f32', little)], [1, -2])
    assert.deepEqual([...viewOf('i32', Uint8Array.of(1, 2, 3, 4))], [0x04030201])
  })

  it('copies an unaligned Buffer, whose slice() shares memory', () => {
    const buffer = Buffer.from([9, ...little]).subarray(1)
    assert.deepEqual([...viewOf('f32', buffer)], [1, -2])
  })

  it('takes an empty array', () => {
    assert.equal(viewOf('f32', new Uint8Array(0)).length, 0)
  })

  it('refuses a part of an element instead of dropping it', () => {
    assert.throws(() => viewOf('f32', new Uint8Array(6)), /6 bytes are no whole number of f32 elements/)
    assert.throws(() => viewOf('bf16', new Uint8Array(3)), /3 bytes/)
  })
})
