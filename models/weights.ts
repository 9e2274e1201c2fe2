import type { Device } from '../runtime/device.ts'
import { toF32 } from '../runtime/dtype.ts'
import { BareclipError, invariant } from '../runtime/errors.ts'
import { type Precision, scalesPerRow } from '../runtime/quantize.ts'
import { formatShape, type Shape, sameShape, sizeOf } from '../runtime/shape.ts'
import type { Tensor } from '../runtime/tensor.ts'
import {
  type Balance,
  balancedNormFills,
  codeDtype,
  codeFills,
  dequantizingFills,
  type Fill,
  finer,
  floatFill,
  quantizingFill,
  scaleName,
} from './weight-fills.ts'

export type { Fill } from './weight-fills.ts'

/** What a model's matrices are held in; see `weightBuilder` for the others. */
export type WeightDtype = 'f32' | 'f16' | 'bf16' | Precision

export const isQuantized = (dtype: WeightDtype): dtype is Precision => dtype === 'q8' || dtype === 'q12'

/** What a checkpoint says of its tensors before any is read. */
export interface Checkpoint {
  readonly name: string
  readonly tensors: ReadonlyMap<string, { readonly shape: Shape }>
  /** Its matrices are codes, each with a tensor of scales beside it. */
  readonly precision?: Precision | undefined
}

/**
 * Declares a model's weights: makes room for each on the device at once and notes which tensors of the checkpoint fill it.
 * Throws MISSING_TENSOR and TENSOR_SHAPE, so a checkpoint that does not fit is refused before its data is read.
 */
export interface MatrixOptions {
  /**
   * The norm declared before whose output this matrix multiplies and nothing else uses: codes then share out the columns'
   * magnitudes with it (balance.ts).
   */
  readonly norm?: string
  /** q8 holds it in the codes of q12: what its rounding costs is worth the bytes. */
  readonly fine?: boolean
}

export interface WeightBuilder {
  /** Any shape in the checkpoint; (size) on the device, f32. */
  vector(name: string, shape: Shape): Tensor
  /** Vectors end to end; null stands for zeros. */
  stackedVector(names: readonly (string | null)[], length: number): Tensor
  /** (rows, width), looked up by row. */
  table(name: string, rows: number, width: number): Tensor
  /** weight and bias of a layer norm, (width) each. */
  norm(name: string, width: number): { weight: Tensor; bias: Tensor }
  /**
   * (rows, width) each, one below the other, for `linear`: weight (names · rows, width); if it is codes, scale
   * (names · rows, ⌈width / 64⌉).
   */
  matrix(
    names: readonly string[],
    rows: number,
    width: number,
    options?: MatrixOptions,
  ): { weight: Tensor; scale?: Tensor }
  /** (rows, …), for `patch-embed`; (rows, product of the rest) on the device. */
  convolution(name: string, shape: Shape): Tensor
  /** A tensor that the model does not need on the device but the host wants to know. */
  scalar(name: string): { value: number }
  has(name: string): boolean
  readonly fills: readonly Fill[]
}

/**
 * dtype: of matrices and tables; vectors and the convolution, which is small, are always f32. With q8 and q12 the matrices are
 * codes and the tables f16: they are looked up, so codes would save no time there.
 */
export function weightBuilder(
  device: Pick<Device, 'allocate' | 'write'>,
  checkpoint: Checkpoint,
  dtype: WeightDtype,
): WeightBuilder {
  const fills: Fill[] = []
  const balances = new Map<string, Balance>()
  const quantized = isQuantized(dtype) ? dtype : undefined
  const floatDtype = isQuantized(dtype) ? 'f16' : dtype
  const stored = checkpoint.precision
  invariant(!stored || !quantized || stored === quantized, `codes of ${stored} are no codes of ${quantized}`)

  const check = (name: string, shape: Shape, what = '') => {
    const found = checkpoint.tensors.get(name)
    if (!found) {
      throw new BareclipError(
        'MISSING_TENSOR',
        `${checkpoint.name}: no tensor ${name}, expected ${what}with shape ${formatShape(shape)}; config.json and weights must belong together`,
      )
    }
    if (!sameShape(found.shape, shape)) {
      throw new BareclipError(
        'TENSOR_SHAPE',
        `${checkpoint.name}: tensor ${name}: expected ${what}shape ${formatShape(shape)}, found ${formatShape(found.shape)}; config.json and weights must belong together`,
      )
    }
  }
  const sourceOf = (name: string, width: number) => ({ name, label: `${checkpoint.name}: tensor ${name}`, width })

  /** start: where the tensor's first element goes, in elements of the target */
  const fill = (name: string, role: Fill['role'], width: number, target: Tensor, start = 0) => {
    const to = role === 'vector' ? 'f32' : floatDtype
    fills.push(
      floatFill(sourceOf(name, width), role, quantized, to, (from, values, offset) =>
        device.write(target, from, values, start + offset),
      ),
    )
  }

  return {
    fills,
    has: (name) => checkpoint.tensors.has(name),
    vector(name, shape) {
      check(name, shape)
      const target = device.allocate({ label: name, role: 'vector', shape: [sizeOf(shape)], dtype: 'f32' })
      fill(name, 'vector', 1, target)
      return target
    },
    stackedVector(names, length) {
      for (const name of names) if (name !== null) check(name, [length])
      const label = names.find((name) => name !== null) ?? 'zeros'
      const target = device.allocate({ label, role: 'vector', shape: [names.length * length], dtype: 'f32' })
      names.forEach((name, i) => {
        if (name !== null) fill(name, 'vector', 1, target, i * length)
      })
      return target
    },
    norm(name, width) {
      const [weight, bias] = [`${name}.weight`, `${name}.bias`]
      if (!quantized || stored) return { weight: this.vector(weight, [width]), bias: this.vector(bias, [width]) }
      for (const vector of [weight, bias]) check(vector, [width])
      const make = (label: string) => device.allocate({ label, role: 'vector', shape: [width], dtype: 'f32' })
      const made = { weight: make(weight), bias: make(bias) }
      const balance = { scales: new Float32Array(width).fill(1), wanted: false }
      balances.set(name, balance)
      const write = async (weights: Float32Array, biases: Float32Array) => {
        await device.write(made.weight, 'f32', weights)
        await device.write(made.bias, 'f32', biases)
      }
      fills.push(...balancedNormFills(sourceOf(weight, 1), sourceOf(bias, 1), width, quantized, balance, write))
      return made
    },
    table(name, rows, width) {
      check(name, [rows, width])
      const target = device.allocate({ label: name, role: 'table', shape: [rows, width], dtype: floatDtype })
      fill(name, 'table', width, target)
      return target
    },
    matrix(names, rows, width, { norm, fine = false } = {}) {
      const perRow = scalesPerRow(width)
      for (const name of names) {
        check(name, [rows, width])
        if (stored) check(scaleName(name), [rows, perRow], `the scales of ${stored}, `)
      }
      const label = names.join(' + ')
      const shape = [names.length * rows, width]
      if (quantized) {
        const weight = device.allocate({ label, role: 'matrix', shape, dtype: codeDtype[finer(quantized, fine)] })
        const scaleShape = [names.length * rows, perRow]
        const scale = device.allocate({ label: scaleName(label), role: 'matrix', shape: scaleShape, dtype: 'f32' })
        const balance = norm === undefined ? undefined : balances.get(norm)
        if (balance) balance.wanted = true
        names.forEach((name, i) => {
          const source = sourceOf(name, width)
          const target = { weight, scale, row: i * rows }
          if (stored) fills.push(...codeFills(device, source, finer(stored, fine), target))
          else fills.push(quantizingFill(device, source, finer(quantized, fine), target, balance))
        })
        return { weight, scale }
      }
      const weight = device.allocate({ label, role: 'matrix', shape, dtype: floatDtype })
      names.forEach((name, i) => {
        const start = i * rows * width
        const write: Fill['write'] = (from, values, offset) => device.write(weight, from, values, start + offset)
        if (stored) fills.push(...dequantizingFills(sourceOf(name, width), rows, finer(stored, fine), write))
        else fill(name, 'matrix', width, weight, start)
      })
      return { weight }
    },
    convolution(name, shape) {
      check(name, shape)
      const [rows = 0, ...rest] = shape
      const width = sizeOf(rest)
      const target = device.allocate({ label: name, role: 'matrix', shape: [rows, width], dtype: 'f32' })
      fill(name, 'convolution', width, target)
      return target
    },
    scalar(name) {
      check(name, [])
      const box = { value: Number.NaN }
      const write: Fill['write'] = async (from, values) => {
        box.value = toF32(from, values)[0] ?? Number.NaN
      }
      fills.push(floatFill(sourceOf(name, 1), 'scalar', quantized, 'f32', write))
      return box
    },
  }
}
