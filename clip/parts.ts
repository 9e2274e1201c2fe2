import { type Preprocessing, readPreprocessing } from '../loaders/image/image.ts'
import { createTokenizer, type Tokenizer } from '../loaders/tokenizer/tokenizer.ts'
import { type ModelPlan, planModel } from '../models/jina-clip.ts'
import { BareclipError } from '../runtime/errors.ts'
import { type ModelFiles, readModelFiles } from './files.ts'

export interface PartOptions {
  readonly signal?: AbortSignal | undefined
}

/** A model's tokenizer, without its weights. Throws MODEL_NOT_FOUND, INVALID_TOKENIZER, UNSUPPORTED_TOKENIZER, READ_FAILED. */
export async function loadTokenizer(
  model: string | URL | ModelFiles,
  { signal }: PartOptions = {},
): Promise<Tokenizer> {
  const { tokenizer } = await readModelFiles(model, signal)
  return createTokenizer(tokenizer)
}

/**
 * How a model's vision tower wants its pictures, without its weights. Throws MODEL_NOT_FOUND, INVALID_CONFIG,
 * UNSUPPORTED_MODEL (also for a model without a vision tower), READ_FAILED.
 */
export async function loadPreprocessing(
  model: string | URL | ModelFiles,
  { signal }: PartOptions = {},
): Promise<Preprocessing> {
  const { config, preprocessor } = await readModelFiles(model, signal)
  const plan = planModel(config)
  if (plan.imageSize === undefined) {
    throw new BareclipError('UNSUPPORTED_MODEL', 'this model has no vision tower: it embeds text only')
  }
  return preprocessingOf(plan, preprocessor)
}

/** preprocessor: the parsed preprocessor_config.json, if there is one. Throws INVALID_CONFIG, UNSUPPORTED_MODEL. */
export function preprocessingOf({ imageSize }: ModelPlan, preprocessor: unknown): Preprocessing {
  const preprocessing = readPreprocessing(preprocessor ?? (imageSize ? { size: imageSize } : {}))
  if (imageSize !== undefined && preprocessing.size !== imageSize) {
    throw new BareclipError(
      'INVALID_CONFIG',
      `preprocessor_config.json: size ${preprocessing.size}, but config.json's image_size is ${imageSize}`,
    )
  }
  return preprocessing
}
