import { BareclipError } from '../runtime/errors.ts'
import { configReader } from './config.ts'
import { eva02, readEva02Config } from './eva02.ts'
import { jinaBert, readJinaBertConfig } from './jina-bert.ts'
import { flashBertNames, jinaBertModelNames } from './jina-bert-names.ts'
import type { Model } from './tower.ts'
import type { WeightBuilder } from './weights.ts'

/** A config that was read and understood; `build` declares the weights. */
export interface ModelPlan {
  readonly type: Model['type']
  /** Hidden width of the output. */
  readonly hidden: number
  /** undefined: text only */
  readonly imageSize: number | undefined
  build(weights: WeightBuilder): Model
}

/**
 * config.json of jina-clip-v1, or of a JinaBertModel (jina-embeddings-v2: text only). Unknown keys are ignored; a key whose
 * value asks for another computation throws UNSUPPORTED_MODEL.
 */
export function planModel(json: unknown, file = 'config.json'): ModelPlan {
  const config = configReader(json, file)
  config.only('model_type', 'jina_clip', 'bert')
  if (!config.has('model_type')) {
    throw new BareclipError(
      'INVALID_CONFIG',
      `${file}: no model_type; supported is "jina_clip" or "bert" (JinaBertModel)`,
    )
  }
  return config.text('model_type') === 'jina_clip' ? planClip(json, file) : planBert(json, file)
}

function planClip(json: unknown, file: string): ModelPlan {
  const config = configReader(json, file)
  config.only('add_projections', false)
  const text = config.object('text_config')
  // An early revision of the official file named the second repository; both mean the same text tower.
  text.only('hf_model_name_or_path', 'jinaai/jina-bert-flash-implementation', 'jinaai/jina-bert-v2-base-en-flash')
  text.only('pooler_type', 'mean_pooler')
  text.only('proj_type', null)
  const textConfig = readJinaBertConfig(text.object('hf_model_config_kwargs'))
  text.only('embed_dim', textConfig.hidden)
  const visionConfig = readEva02Config(config.object('vision_config'))
  const { hidden } = textConfig
  if (visionConfig.hidden !== hidden) {
    throw new BareclipError(
      'UNSUPPORTED_MODEL',
      `${file}: the towers' widths differ (text ${hidden}, vision ${visionConfig.hidden}); without projections they must be equal`,
    )
  }
  const dimensions = config.size('truncate_dim', hidden)
  if (dimensions > hidden) {
    throw new BareclipError(
      'INVALID_CONFIG',
      `${file}: truncate_dim ${dimensions} is more than the ${hidden} components`,
    )
  }
  return {
    type: 'jina-clip',
    hidden,
    imageSize: visionConfig.imageSize,
    build(weights) {
      const logitScale = weights.scalar('logit_scale')
      return {
        type: 'jina-clip',
        text: jinaBert(textConfig, flashBertNames('text_model.transformer.'), weights),
        vision: eva02(visionConfig, 'vision_model.', weights),
        temperature: () => Math.exp(logitScale.value),
        dimensions,
      }
    },
  }
}

function planBert(json: unknown, file: string): ModelPlan {
  const config = configReader(json, file)
  config.only('emb_pooler', 'mean')
  if (!config.has('position_embedding_type')) {
    throw new BareclipError(
      'UNSUPPORTED_MODEL',
      `${file}: position_embedding_type is absent, so this is an ordinary BERT; supported is "alibi" (JinaBertModel)`,
    )
  }
  const bertConfig = readJinaBertConfig(config)
  return {
    type: 'jina-bert',
    hidden: bertConfig.hidden,
    imageSize: undefined,
    build(weights) {
      const prefix = weights.has('bert.embeddings.word_embeddings.weight') ? 'bert.' : ''
      const layer = `${prefix}encoder.layer.0.`
      for (const name of [`${layer}mlp.up_gated_layer.weight`, `${layer}attention.self.layer_norm_q.weight`]) {
        if (weights.has(name)) {
          throw new BareclipError(
            'UNSUPPORTED_MODEL',
            `the weights hold ${name}: a JinaBERT variant with q/k layer norms; supported are jina-embeddings-v2-base-en and -small-en`,
          )
        }
      }
      return {
        type: 'jina-bert',
        text: jinaBert(bertConfig, jinaBertModelNames(prefix), weights),
        vision: undefined,
        temperature: () => 1,
        dimensions: bertConfig.hidden,
      }
    },
  }
}
