import { bf16ToF32, type Dtype, f16ToF32, typedView } from '../dtype.ts'
import { invariant } from '../errors.ts'
import { sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import type { Access } from './kernel.ts'

export function createAccess(locate: (tensor: Tensor) => { buffer: ArrayBufferLike; byteOffset: number }): Access {
  const expect = (tensor: Tensor, dtype: Dtype) => {
    invariant(tensor.dtype === dtype, `${tensor.label} is ${tensor.dtype}, the kernel expects ${dtype}`)
  }
  const f32 = (tensor: Tensor) => {
    expect(tensor, 'f32')
    const { buffer, byteOffset } = locate(tensor)
    return new Float32Array(buffer, byteOffset, sizeOf(tensor.shape))
  }
  return {
    f32,
    i32(tensor) {
      expect(tensor, 'i32')
      const { buffer, byteOffset } = locate(tensor)
      return new Int32Array(buffer, byteOffset, sizeOf(tensor.shape))
    },
    any(tensor) {
      const { buffer, byteOffset } = locate(tensor)
      return typedView(tensor.dtype, buffer, byteOffset, sizeOf(tensor.shape))
    },
    floats(tensor) {
      if (tensor.dtype === 'f32') {
        const array = f32(tensor)
        return { array, copy: (start, length, target) => target.set(array.subarray(start, start + length)) }
      }
      invariant(tensor.dtype === 'f16' || tensor.dtype === 'bf16', `${tensor.label} is ${tensor.dtype}, no float`)
      const { buffer, byteOffset } = locate(tensor)
      const bits = new Uint16Array(buffer, byteOffset, sizeOf(tensor.shape))
      const table = halfTable(tensor.dtype)
      return {
        array: undefined,
        copy(start, length, target) {
          for (let i = 0; i < length; i++) target[i] = table[bits[start + i]!]!
        },
      }
    },
  }
}

const tables = new Map<'f16' | 'bf16', Float32Array>()

/** All 65,536 values of a 16-bit float, 256 KiB, made when first asked for. */
function halfTable(dtype: 'f16' | 'bf16'): Float32Array {
  let table = tables.get(dtype)
  if (!table) {
    const decode = dtype === 'f16' ? f16ToF32 : bf16ToF32
    table = Float32Array.from({ length: 65536 }, (_, bits) => decode(bits))
    tables.set(dtype, table)
  }
  return table
}
