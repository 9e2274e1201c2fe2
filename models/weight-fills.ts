import type { Device } from '../runtime/device.ts'
import { type Dtype, type DtypeArray, toF32 } from '../runtime/dtype.ts'
import { dequantizeRows, type Precision, quantizeRows, scalesPerRow } from '../runtime/quantize.ts'
import type { Tensor } from '../runtime/tensor.ts'
import { columnScales } from './balance.ts'
import { requireCodes, requireFinite, requireHalf, requireScales } from './weight-checks.ts'

/** One tensor of the checkpoint that has to be read, and where its elements go. */
export interface Fill {
  readonly name: string
  /** What the model does with it: 'scale' belongs to a stored matrix of codes, 'convolution' to the patches. */
  readonly role: 'matrix' | 'scale' | 'convolution' | 'table' | 'vector' | 'scalar'
  /** Element types that it may have in the checkpoint. */
  readonly accepts: readonly Dtype[]
  /** Of the codes that a matrix becomes. */
  readonly precision?: Precision
  /** To be read before those that are not: they need it. */
  readonly first: boolean
  /** Elements in a row: pieces of the tensor are written in whole rows. */
  readonly rowSize: number
  /**
   * offset: in elements from the start of the checkpoint's tensor. Rejects with NOT_FINITE where a quantised model would hold
   * NaN or infinity, INVALID_SAFETENSORS where stored codes or scales are out of range.
   */
  write(from: Dtype, values: DtypeArray, offset: number): Promise<void>
}

export type WeightWriter = Pick<Device, 'write'>

/** Element type of the codes. */
export const codeDtype = { q8: 'i8', q12: 'i16' } as const

/** What a matrix is held in by a model of this precision. fine: one whose rounding the embeddings feel most. */
export const finer = (precision: Precision, fine: boolean): Precision => (fine ? 'q12' : precision)

/** Of the tensor that holds the scales of a stored matrix. */
export const scaleName = (name: string) => `${name}_scale`

const floats: readonly Dtype[] = ['f32', 'f16', 'bf16']

/** What the fills of a tensor have in common. */
export interface Source {
  readonly name: string
  /** The file and the tensor, for errors. */
  readonly label: string
  /** Elements in a row. */
  readonly width: number
}

/** Floats that stay floats. `quantized`: of the model, which then takes finite numbers only. */
export function floatFill(
  { name, label, width }: Source,
  role: Fill['role'],
  quantized: Precision | undefined,
  target: 'f32' | 'f16' | 'bf16',
  write: Fill['write'],
): Fill {
  return {
    ...{ name, role, rowSize: width, accepts: floats, first: false },
    async write(from, values, offset) {
      if (quantized) {
        const place = { label, width, offset }
        requireFinite(from, values, place)
        if (target === 'f16') requireHalf(from, values, place)
      }
      await write(from, values, offset)
    },
  }
}

/** The scales of the columns between a layer norm and the matrix behind it, once the norm was read. */
export interface Balance {
  /** (width); all 1 unless a matrix asks */
  scales: Float32Array
  /** A matrix multiplies the norm's output, and nothing else uses it. */
  wanted: boolean
}

/** A layer norm before a matrix of codes: both vectors are read before the matrix, then written divided by the scales. */
export function balancedNormFills(
  weight: Source,
  bias: Source,
  width: number,
  precision: Precision,
  balance: Balance,
  write: (weight: Float32Array, bias: Float32Array) => Promise<void>,
): Fill[] {
  const read = [new Float32Array(width), new Float32Array(width)] as const
  let missing = 2 * width
  return [weight, bias].map((source, i) => {
    const keep: Fill['write'] = async (from, values, offset) => {
      read[i]!.set(toF32(from, values), offset)
      missing -= values.length
      if (missing > 0) return
      if (balance.wanted) balance.scales = columnScales(...read)
      const divided = (values: Float32Array) => values.map((value, k) => value / balance.scales[k]!)
      await write(divided(read[0]), divided(read[1]))
    }
    return { ...floatFill(source, 'vector', precision, 'f32', keep), first: true }
  })
}

/** values: (rows, width), scales: (width) → (rows, width) */
function scaleColumns(values: Float32Array, scales: Float32Array): Float32Array {
  const { length: width } = scales
  const scaled = new Float32Array(values.length)
  for (let start = 0; start < values.length; start += width) {
    for (let k = 0; k < width; k++) scaled[start + k] = values[start + k]! * scales[k]!
  }
  return scaled
}

/** A matrix of codes (rows, width) on the device, its scales (rows, ⌈width / 64⌉), and the row where a tensor starts. */
export interface CodeTarget {
  readonly weight: Tensor
  readonly scale: Tensor
  readonly row: number
}

/** Floats to codes and scales. */
export function quantizingFill(
  device: WeightWriter,
  { name, label, width }: Source,
  precision: Precision,
  { weight, scale, row: start }: CodeTarget,
  balance: Balance | undefined,
): Fill {
  return {
    ...{ name, role: 'matrix', rowSize: width, accepts: floats, precision, first: false },
    async write(from, values, offset) {
      const row = offset / width
      const all = toF32(from, values)
      const balanced = balance ? scaleColumns(all, balance.scales) : all
      const { codes, scales } = quantizeRows(balanced, width, precision, label, row)
      await device.write(weight, codeDtype[precision], codes, (start + row) * width)
      await device.write(scale, 'f32', scales, (start + row) * scalesPerRow(width))
    },
  }
}

/** Stored codes and scales as they are. */
export function codeFills(
  device: WeightWriter,
  source: Source,
  precision: Precision,
  { weight, scale, row }: CodeTarget,
): Fill[] {
  const { width } = source
  return storedFills(source, precision, false, {
    scales: (scales, offset) => device.write(scale, 'f32', scales, row * scalesPerRow(width) + offset),
    codes: (codes, offset) => device.write(weight, codeDtype[precision], codes, row * width + offset),
  })
}

/** Stored codes and scales back to floats; the scales are kept until the last code came. rows: of the stored matrix */
export function dequantizingFills(source: Source, rows: number, precision: Precision, write: Fill['write']): Fill[] {
  const { width } = source
  const perRow = scalesPerRow(width)
  let kept = new Float32Array(0)
  return storedFills(source, precision, true, {
    async scales(scales, offset) {
      if (offset === 0) kept = new Float32Array(rows * perRow)
      kept.set(scales, offset)
    },
    async codes(codes, offset) {
      const row = offset / width
      const scales = kept.subarray(row * perRow, (row + codes.length / width) * perRow)
      await write('f32', dequantizeRows({ codes, scales }, width), offset)
      if (row + codes.length / width === rows) kept = new Float32Array(0)
    },
  })
}

function storedFills(
  { name, label, width }: Source,
  precision: Precision,
  first: boolean,
  write: {
    scales(scales: Float32Array, offset: number): Promise<void>
    codes(codes: Int8Array | Int16Array, offset: number): Promise<void>
  },
): Fill[] {
  const perRow = scalesPerRow(width)
  return [
    {
      ...{ name: scaleName(name), role: 'scale', rowSize: perRow, accepts: ['f32'], first },
      async write(_, values, offset) {
        const scales = values as Float32Array
        requireScales(scales, precision, { label: scaleName(label), width: perRow, offset })
        await write.scales(scales, offset)
      },
    },
    {
      ...{ name, role: 'matrix', rowSize: width, accepts: [codeDtype[precision]], first: false },
      async write(_, values, offset) {
        const codes = values as Int8Array | Int16Array
        requireCodes(codes, precision, { label, width, offset })
        await write.codes(codes, offset)
      },
    },
  ]
}
