import { encodeSafetensors } from '../../loaders/safetensors/write.ts'
import { convert } from '../../runtime/dtype.ts'
import { BareclipError, describe } from '../../runtime/errors.ts'
import { sizeOf } from '../../runtime/shape.ts'
import { applyTails, tailsOf } from './outliers.ts'
import { presetConfig, type SynthConfig, type SynthSize, synthSizes } from './presets.ts'
import { defaultSeed, fillValues, keyOf, ruleOf } from './rule.ts'
import { type NamedShape, tensorList, towersOf } from './tensors.ts'

export type { SynthConfig, SynthSize } from './presets.ts'

export type SynthDtype = 'f32' | 'f16' | 'bf16'

export interface SynthOptions {
  readonly size: SynthSize
  /** An integer from 0 to 2^32 - 1. Default: 0x4a434c31. */
  readonly seed?: number | undefined
  /** How values are stored: rounded to nearest, ties to even. Default: f32. */
  readonly dtype?: SynthDtype | undefined
  /** Heavy tails and a few large channels, as in trained weights. Default: false. */
  readonly outliers?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  /** In bytes of model.safetensors. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

export interface SynthTensor extends NamedShape {
  /** All elements, row-major. */
  values(): Float32Array
  /** The same in pieces of about 2^20 elements. A piece is overwritten by the next one. */
  chunks(): Iterable<Float32Array>
}

export const synthMetadata = { format: 'pt' }

const storedAs = { f32: 'F32', f16: 'F16', bf16: 'BF16' } as const
const torchDtypes = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' } as const

/** config.json of the checkpoint. Throws INVALID_ARGUMENT. */
export function synthConfig(options: SynthOptions): SynthConfig {
  const { size, dtype } = checked(options)
  return presetConfig(size, torchDtypes[dtype])
}

/** Every tensor as float32 values, whatever `dtype` says, in the order of the file. Throws INVALID_ARGUMENT. */
export function synthTensors(options: SynthOptions): readonly SynthTensor[] {
  const { seed, outliers } = checked(options)
  const config = synthConfig(options)
  const towers = towersOf(config)
  return tensorList(config).map(({ name, shape }) => {
    const key = keyOf(name, seed)
    const rule = ruleOf(name, shape)
    const size = sizeOf(shape)
    const width = shape.length < 2 ? size : size / shape[0]!
    const tails = outliers ? tailsOf(name, shape, seed, towers) : undefined

    const fill = (values: Float32Array, start: number) => {
      fillValues(values, rule, key, start)
      if (tails) applyTails(values, tails, width, key, start)
    }
    return {
      name,
      shape,
      values() {
        const values = new Float32Array(size)
        fill(values, 0)
        return values
      },
      *chunks() {
        const step = Math.max(1, Math.floor(2 ** 20 / width)) * width // whole rows
        const room = new Float32Array(Math.min(step, size))
        for (let start = 0; start < size; start += step) {
          const values = room.subarray(0, Math.min(step, size - start))
          fill(values, start)
          yield values
        }
      },
    }
  })
}

/** The tensors as the file stores them, whole or in pieces. Throws INVALID_ARGUMENT. */
export function storedTensors(options: SynthOptions) {
  const { dtype } = checked(options)
  return synthTensors(options).map(({ name, shape, values, chunks }) => ({
    name,
    shape,
    dtype: storedAs[dtype],
    bytes: () => bytesOf(values(), dtype),
    *pieces() {
      for (const piece of chunks()) yield bytesOf(piece, dtype)
    },
  }))
}

/** Little-endian, as every engine's typed arrays are. f32: a view; f16 and bf16: a copy. */
function bytesOf(values: Float32Array, dtype: SynthDtype): Uint8Array {
  if (dtype === 'f32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const halves = new Uint16Array(values.length)
  convert('f32', values, dtype, halves)
  return new Uint8Array(halves.buffer)
}

/** config.json and model.safetensors in memory; meant for the tiny sizes. Throws INVALID_ARGUMENT. */
export function synthModel(options: SynthOptions): { config: SynthConfig; weights: Uint8Array } {
  return { config: synthConfig(options), weights: encodeSafetensors(storedTensors(options), synthMetadata) }
}

/** The options with defaults. */
function checked({ size, seed = defaultSeed, dtype = 'f32', outliers = false }: SynthOptions) {
  if (!synthSizes.includes(size)) {
    throw new BareclipError(
      'INVALID_ARGUMENT',
      `expected size to be one of ${synthSizes.join(', ')}, got ${describe(size)}`,
    )
  }
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffffffff) {
    throw new BareclipError(
      'INVALID_ARGUMENT',
      `expected seed to be an integer from 0 to 2^32 - 1, got ${describe(seed)}`,
    )
  }
  if (!Object.hasOwn(storedAs, dtype)) {
    throw new BareclipError('INVALID_ARGUMENT', `expected dtype to be f32, f16 or bf16, got ${describe(dtype)}`)
  }
  return { size, seed, dtype, outliers }
}
