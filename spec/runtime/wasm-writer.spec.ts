import { deepEqual, ok } from 'node:assert/strict'
import { randomIndices } from '../../kernels/case.ts'
import {
  arrayOf,
  bytesPerElement,
  convert,
  type Dtype,
  type DtypeArray,
  typedView,
  viewOf,
} from '../../runtime/dtype.ts'
import { createHeap, type Heap } from '../../runtime/wasm/heap.ts'
import { compileModule } from '../../runtime/wasm/module.ts'
import { packedSize, packRows } from '../../runtime/wasm/panels.ts'
import { createWriter, type Writer } from '../../runtime/wasm/writer.ts'

/** Elements of any bits: subnormal numbers, infinities and NaNs among them. */
function anyBits(dtype: Dtype, length: number): DtypeArray {
  const words = randomIndices(`${dtype} ${length}`, Math.ceil((length * bytesPerElement[dtype]) / 4), 2 ** 32)
  return viewOf(dtype, new Uint8Array(words.buffer, 0, length * bytesPerElement[dtype]))
}

/** Engines differ in the bits of a NaN that goes through a float32 on its way from one half to another: there are none then. */
function someBits(from: Dtype, to: Dtype, length: number): DtypeArray {
  const values = anyBits(from, length)
  if (from === to || !['f16', 'bf16'].includes(from) || !['f16', 'bf16'].includes(to)) return values
  const infinity = from === 'f16' ? 0x7c00 : 0x7f80
  return values.map((bits) => ((bits & 0x7fff) > infinity ? 0 : bits)) as DtypeArray
}

/** JavaScript may change the bits of a float32 NaN that it moves. */
const integers = (values: DtypeArray): DtypeArray =>
  values instanceof Float32Array ? new Int32Array(values.buffer, values.byteOffset, values.length) : values

const bitsOf = (values: DtypeArray) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

function sameBits(a: DtypeArray, b: DtypeArray): boolean {
  const found = bitsOf(a)
  const expected = bitsOf(b)
  let same = found.length === expected.length
  for (let i = 0; i < expected.length; i++) if (found[i] !== expected[i]) same = false
  return same
}

const conversions: [from: Dtype, to: Dtype][] = [
  ...(['f32', 'f16', 'bf16'] as const).flatMap((from) =>
    (['f32', 'f16', 'bf16'] as const).map((to): [Dtype, Dtype] => [from, to]),
  ),
  ['i8', 'i8'],
  ['i16', 'i16'],
  ['i32', 'f32'],
]

// The third: as many rows as a write has; the last: with rows too wide for the stage.
const shapes: [rows: number, width: number, atOnce: number][] = [
  [8, 8, 8],
  [1, 1, 1],
  [24, 341, 5],
  [19, 13, 19],
  [9, 100, 9],
  [40, 24, 3],
  [70, 3001, 64],
  [9, 20000, 9],
  [3, 40000, 3],
]

for (const shared of [false, true]) {
  describe(`weights written into ${shared ? 'shared' : 'unshared'} wasm memory`, () => {
    let heap: Heap
    let writer: Writer
    before(async function () {
      if (shared && typeof SharedArrayBuffer !== 'function') this.skip()
      heap = createHeap(shared)
      writer = await createWriter((await compileModule(shared)).module, heap)
    })

    for (const [from, to] of conversions) {
      it(`matrices of ${from} as ${to} lie as packRows lays them, whatever lay there`, () => {
        for (const [matrixRows, width, atOnce] of shapes) {
          const values = someBits(from, to, matrixRows * width)
          const same = arrayOf(to, values.length)
          convert(from, values, to, same)
          const expected = integers(arrayOf(to, packedSize(matrixRows, width, to)))
          packRows(integers(same), width, 0, expected)
          const address = heap.take(expected.byteLength, 'panels')
          for (let row = 0; row < matrixRows; row += atOnce) {
            const part = values.subarray(row * width, Math.min(matrixRows, row + atOnce) * width)
            writer.rows(from, part, to, { address, matrixRows, width, row })
          }
          const found = typedView(to, heap.memory.buffer, address, expected.length)
          ok(sameBits(found, expected), `(${matrixRows}, ${width}), ${atOnce} at once`)
          bitsOf(found).fill(0xee)
          heap.free(address, expected.byteLength)
        }
      })

      it(`elements of ${from} as ${to} are what convert makes of them`, () => {
        for (const length of [0, 1, 7, 16384, 100_003]) {
          const values = someBits(from, to, length)
          const expected = arrayOf(to, length)
          convert(from, values, to, expected)
          const address = heap.take(expected.byteLength, 'elements')
          writer.elements(from, values, to, address)
          ok(sameBits(typedView(to, heap.memory.buffer, address, length), expected))
          heap.free(address, expected.byteLength)
        }
      })
    }

    it('every boundary between two f16 or bf16 rounds as convert rounds', () => {
      for (const to of ['f16', 'bf16'] as const) {
        const halves = Uint16Array.from({ length: 65536 }, (_, half) => half)
        const exact = new Float32Array(halves.length)
        convert(to, halves, 'f32', exact)
        const bits = new Int32Array(exact.buffer)
        const values = new Float32Array(8 * bits.length)
        const near = new Int32Array(values.buffer)
        // Half a step of f16 is 2^12 of float32's, of its subnormal numbers more; of bf16 it is 2^15.
        const offsets = [0, -1, 1, 4095, 4096, 4097, 32767, 32769]
        for (const [i, value] of bits.entries())
          for (const [j, offset] of offsets.entries()) near[8 * i + j] = value + offset
        for (let half = 0; half < 0x400; half++) {
          const between = (half + 0.5) * 2 ** -24
          values.set([between, -between], 8 * half)
          near[8 * half + 2] = near[8 * half]! + 1
          near[8 * half + 3] = near[8 * half]! - 1
        }
        const expected = new Uint16Array(values.length)
        convert('f32', values, to, expected)
        const address = heap.take(expected.byteLength, 'elements')
        writer.elements('f32', values, to, address)
        ok(sameBits(typedView(to, heap.memory.buffer, address, values.length), expected), to)
        heap.free(address, expected.byteLength)
      }
    })

    it('nothing beside the panels is written', () => {
      const address = heap.take(64, 'before')
      const before = new Uint8Array(heap.memory.buffer, address, 64).fill(1)
      for (const [matrixRows, width] of shapes) {
        const bytes = 4 * packedSize(matrixRows, width)
        const panels = heap.take(bytes, 'panels')
        const after = heap.take(64, 'after')
        new Uint8Array(heap.memory.buffer, after, 64).fill(1)
        writer.rows('f32', anyBits('f32', matrixRows * width), 'f32', { address: panels, matrixRows, width, row: 0 })
        deepEqual([...before, ...new Uint8Array(heap.memory.buffer, after, 64)], new Array(128).fill(1))
        heap.free(panels, bytes)
        heap.free(after, 64)
      }
    })
  })
}
