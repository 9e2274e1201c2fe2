import type { Device } from '../runtime/device.ts'
import { type Dtype, type DtypeArray, toF32 } from '../runtime/dtype.ts'
import { BareclipError } from '../runtime/errors.ts'
import { formatShape, type Shape, sameShape, sizeOf } from '../runtime/shape.ts'
import type { Tensor } from '../runtime/tensor.ts'

/** What a checkpoint says of its tensors before any is read. */
export interface Checkpoint {
  readonly name: string
  readonly tensors: ReadonlyMap<string, { readonly shape: Shape }>
}

/** One tensor of the checkpoint that has to be read, and where its elements go. */
export interface Fill {
  readonly name: string
  /** Elements in a row: pieces of the tensor are written in whole rows. */
  readonly rowSize: number
  /** offset: in elements from the start of the checkpoint's tensor */
  write(from: Dtype, values: DtypeArray, offset: number): Promise<void>
}

/**
 * Declares a model's weights: makes room for each on the device at once and notes which tensors of the checkpoint fill it.
 * Throws MISSING_TENSOR and TENSOR_SHAPE, so a checkpoint that does not fit is refused before its data is read.
 */
export interface WeightBuilder {
  /** Any shape in the checkpoint; (size) on the device, f32. */
  vector(name: string, shape: Shape): Tensor
  /** Vectors end to end; null stands for zeros. */
  stackedVector(names: readonly (string | null)[], length: number): Tensor
  /** (rows, width), looked up by row. */
  table(name: string, rows: number, width: number): Tensor
  /** (rows, …) each, one below the other; (names · rows, product of the rest) on the device, there in `stored` if given. */
  matrix(names: readonly string[], shape: Shape, stored?: 'f32'): Tensor
  /** A tensor that the model does not need on the device but the host wants to know. */
  scalar(name: string): { value: number }
  has(name: string): boolean
  readonly fills: readonly Fill[]
}

/** dtype: of tables and matrices, unless a matrix says otherwise; vectors are always f32. */
export function weightBuilder(
  device: Pick<Device, 'allocate' | 'write'>,
  checkpoint: Checkpoint,
  dtype: Dtype,
): WeightBuilder {
  const fills: Fill[] = []

  const check = (name: string, shape: Shape) => {
    const found = checkpoint.tensors.get(name)
    if (!found) {
      throw new BareclipError(
        'MISSING_TENSOR',
        `${checkpoint.name}: no tensor ${name}, expected with shape ${formatShape(shape)}; config.json and weights must belong together`,
      )
    }
    if (!sameShape(found.shape, shape)) {
      throw new BareclipError(
        'TENSOR_SHAPE',
        `${checkpoint.name}: tensor ${name}: expected shape ${formatShape(shape)}, found ${formatShape(found.shape)}; config.json and weights must belong together`,
      )
    }
  }
  const fill = (name: string, rowSize: number, target: Tensor, start: number) =>
    fills.push({ name, rowSize, write: (from, values, offset) => device.write(target, from, values, start + offset) })

  return {
    fills,
    has: (name) => checkpoint.tensors.has(name),
    vector(name, shape) {
      check(name, shape)
      const target = device.allocate({ label: name, role: 'vector', shape: [sizeOf(shape)], dtype: 'f32' })
      fill(name, 1, target, 0)
      return target
    },
    stackedVector(names, length) {
      for (const name of names) if (name !== null) check(name, [length])
      const label = names.find((name) => name !== null) ?? 'zeros'
      const target = device.allocate({ label, role: 'vector', shape: [names.length * length], dtype: 'f32' })
      names.forEach((name, i) => {
        if (name !== null) fill(name, 1, target, i * length)
      })
      return target
    },
    table(name, rows, width) {
      check(name, [rows, width])
      const target = device.allocate({ label: name, role: 'table', shape: [rows, width], dtype })
      fill(name, width, target, 0)
      return target
    },
    matrix(names, shape, stored) {
      for (const name of names) check(name, shape)
      const [rows = 0, ...rest] = shape
      const width = sizeOf(rest)
      const label = names.join(' + ')
      const target = device.allocate({
        label,
        role: 'matrix',
        shape: [names.length * rows, width],
        dtype: stored ?? dtype,
      })
      names.forEach((name, i) => {
        fill(name, width, target, i * rows * width)
      })
      return target
    },
    scalar(name) {
      check(name, [])
      const box = { value: Number.NaN }
      fills.push({
        name,
        rowSize: 1,
        write: async (from, values) => {
          box.value = toF32(from, values)[0] ?? Number.NaN
        },
      })
      return box
    },
  }
}
