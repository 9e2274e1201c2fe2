import type { Safetensors } from '../loaders/safetensors/safetensors.ts'
import { BareclipError, describe } from '../runtime/errors.ts'
import type { Precision } from '../runtime/quantize.ts'

/** What a model's matrices are held in. */
export type ModelDtype = 'f32' | 'f16' | 'q12' | 'q8'

/** Of `__metadata__` in a file of codes. */
export const quantizedFormat = 'bareclip'

/** What a file's matrices are codes of; undefined: they are floats. Throws UNSUPPORTED_MODEL. */
export function storedPrecision({ name, metadata }: Pick<Safetensors, 'name' | 'metadata'>): Precision | undefined {
  if (metadata.format !== quantizedFormat) return undefined
  const { precision } = metadata
  if (precision === 'q8' || precision === 'q12') return precision
  throw new BareclipError(
    'UNSUPPORTED_MODEL',
    `${name}: expected q8 or q12 as precision in the metadata, found ${describe(precision)}`,
  )
}

/** asked: the caller's option. Throws INVALID_ARGUMENT where codes would have to be rounded to other codes. */
export function dtypeOf(
  asked: ModelDtype | undefined,
  { name, precision }: { readonly name: string; readonly precision: Precision | undefined },
): ModelDtype {
  if (asked === undefined) return precision ?? 'f32'
  if (!precision || asked === precision || asked === 'f32' || asked === 'f16') return asked
  const why =
    asked === 'q12' ? 'it would take twice the memory and be no more exact' : 'rounding twice is worse than once'
  throw new BareclipError(
    'INVALID_ARGUMENT',
    `${name} is stored as ${precision} and cannot be loaded as ${asked}: ${why}; leave dtype out, or use the original weights`,
  )
}
