import { alibiSlopes } from '../kernels/attention/alibi.ts'
import { attention } from '../kernels/attention/attention.ts'
import { embedding } from '../kernels/embedding/embedding.ts'
import { layerNorm, type Norm } from '../kernels/layer-norm/layer-norm.ts'
import { type Linear, linear } from '../kernels/linear/linear.ts'
import { meanPool } from '../kernels/mean-pool/mean-pool.ts'
import type { RaggedBatch } from '../runtime/batch.ts'
import type { Scope } from '../runtime/device.ts'
import { BareclipError } from '../runtime/errors.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { ConfigReader } from './config.ts'
import type { JinaBertNames } from './jina-bert-names.ts'
import { deviceBatch, inRowChunks, type TextTower, type Trace } from './tower.ts'
import type { WeightBuilder } from './weights.ts'

export interface JinaBertConfig {
  readonly vocabulary: number
  readonly types: number
  readonly hidden: number
  readonly layers: number
  readonly heads: number
  /** Width of the MLP behind the gate. */
  readonly intermediate: number
  readonly epsilon: number
  readonly padId: number
}

/** The values of jinaai/jina-bert-flash-implementation stand where the file is silent, as upstream's loader has it. */
export function readJinaBertConfig(config: ConfigReader): JinaBertConfig {
  config.only('hidden_act', 'gelu')
  config.only('mlp_type', 'glu')
  config.only('feed_forward_type', 'geglu')
  config.only('position_embedding_type', 'alibi')
  config.only('use_qk_norm', false)
  config.only('window_size', [-1, -1])
  const hidden = config.size('hidden_size', 768)
  const heads = config.size('num_attention_heads', 12)
  if (hidden % heads !== 0) {
    throw new BareclipError(
      'INVALID_CONFIG',
      `config.json: hidden_size ${hidden} is no multiple of ${heads} attention heads`,
    )
  }
  return {
    vocabulary: config.size('vocab_size', 30528),
    types: config.size('type_vocab_size', 2),
    hidden,
    layers: config.size('num_hidden_layers', 12),
    heads,
    intermediate: config.size('intermediate_size', 3072),
    epsilon: config.number('layer_norm_eps', 1e-12),
    padId: config.index('pad_token_id', 0),
  }
}

interface Layer {
  /** (3 · hidden, hidden): q, k, v */
  readonly qkv: Linear
  /** (hidden, hidden) */
  readonly attentionOut: Linear
  readonly norm1: Norm
  /** (2 · intermediate, hidden), no bias; the first half is activated */
  readonly gated: Linear
  /** (hidden, intermediate) */
  readonly mlpOut: Linear
  readonly norm2: Norm
}

/** BERT with ALiBi instead of position embeddings and a gated MLP; normalised after each sub-layer. */
export function jinaBert(config: JinaBertConfig, names: JinaBertNames, weights: WeightBuilder): TextTower {
  const { vocabulary, types, hidden, layers: depth, heads, intermediate, epsilon, padId } = config
  const norm = (name: string): Norm => ({
    ...weights.norm(name, hidden),
    epsilon,
  })
  const word = weights.table(names.word, vocabulary, hidden)
  const type = weights.table(names.type, types, hidden)
  const embeddingNorm = norm(names.embeddingNorm)
  const layers = Array.from({ length: depth }, (_, i): Layer => {
    const layer = names.layer(i)
    const qkvRows = (3 * hidden) / layer.qkv.length
    return {
      qkv: {
        ...weights.matrix(
          layer.qkv.map((name) => `${name}.weight`),
          qkvRows,
          hidden,
          { fine: true },
        ),
        bias: weights.stackedVector(
          layer.qkv.map((name) => `${name}.bias`),
          qkvRows,
        ),
      },
      attentionOut: {
        ...weights.matrix([`${layer.attentionOut}.weight`], hidden, hidden, { fine: true }),
        bias: weights.vector(`${layer.attentionOut}.bias`, [hidden]),
      },
      norm1: norm(layer.norm1),
      gated: weights.matrix([`${layer.gated}.weight`], 2 * intermediate, hidden),
      mlpOut: {
        ...weights.matrix([`${layer.mlpOut}.weight`], hidden, intermediate),
        bias: weights.vector(`${layer.mlpOut}.bias`, [hidden]),
      },
      norm2: norm(layer.norm2),
    }
  })
  const scale = 1 / Math.sqrt(hidden / heads)
  const slopeValues = alibiSlopes(heads)

  const record = (scope: Scope, ids: Int32Array, host: RaggedBatch, trace?: Trace): Tensor => {
    const batch = deviceBatch(scope, host)
    const slopes = scope.input('slopes', 'f32', [heads], slopeValues)
    const idTensor = scope.input('ids', 'i32', [ids.length], ids)
    let x = embedding(scope, { ids: idTensor, word, type, ...embeddingNorm })
    trace?.('text.emb_ln', x)
    for (const [i, layer] of layers.entries()) {
      const qkv = linear(scope, x, layer.qkv)
      const context = attention(scope, { qkv, batch, heads, scale, slopes })
      x = layerNorm(scope, linear(scope, context, layer.attentionOut, { residual: x }), layer.norm1)
      trace?.(`text.layer${i}.qkv`, qkv)
      trace?.(`text.layer${i}.context`, context)
      trace?.(`text.layer${i}.norm1`, x)
      const sum = inRowChunks(scope, x, (rows, into) => {
        const gated = linear(scope, rows, layer.gated, { gate: 'gelu' })
        linear(scope, gated, layer.mlpOut, { residual: rows, into })
      })
      x = layerNorm(scope, sum, layer.norm2)
      trace?.(`text.layer${i}.norm2`, x)
    }
    return meanPool(scope, x, batch)
  }
  return { hidden, layers: depth, heads, vocabulary, padId, record }
}
