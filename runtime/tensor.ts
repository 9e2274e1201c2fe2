import type { Dtype } from './dtype.ts'
import { BareclipError, invariant } from './errors.ts'
import { formatShape, type Shape, sameShape, sizeOf } from './shape.ts'

/** A piece of memory that one device owns. What it looks like inside is that device's affair. */
export interface Storage {
  readonly lifetime: 'weights' | 'scratch'
  readonly bytes: number
}

/**
 * A typed, shaped, row-major window into a storage. A plain value: it owns nothing. Matrices of weights keep their logical
 * shape (out, in) however the device packs them.
 */
export interface Tensor {
  readonly label: string
  readonly dtype: Dtype
  readonly shape: Shape
  readonly storage: Storage
  /** In elements, from the start of the storage. */
  readonly offset: number
}

/** x: (rows, …) → rows from … to - 1 of it, the same memory. A multiple of 64 rows keeps every device's alignment. */
export function rowsOf(x: Tensor, from: number, to: number): Tensor {
  const [rows = 0, ...rest] = x.shape
  invariant(from >= 0 && from <= to && to <= rows, `rows ${from}…${to} of ${x.label} ${formatShape(x.shape)}`)
  return { ...x, shape: [to - from, ...rest], offset: x.offset + from * sizeOf(rest) }
}

/** Throws SHAPE_MISMATCH unless `tensor` has this shape and one of these dtypes. `where` is `operation parameter`. */
export function expectTensor(where: string, tensor: Tensor, shape: Shape, ...dtypes: readonly Dtype[]): void {
  if (!sameShape(tensor.shape, shape)) {
    throw new BareclipError(
      'SHAPE_MISMATCH',
      `${where}: expected shape ${formatShape(shape)}, found ${formatShape(tensor.shape)} in ${tensor.label}`,
    )
  }
  if (dtypes.length > 0 && !dtypes.includes(tensor.dtype)) {
    throw new BareclipError(
      'SHAPE_MISMATCH',
      `${where}: expected dtype ${dtypes.join(' or ')}, found ${tensor.dtype} in ${tensor.label}`,
    )
  }
}
