import { attention } from '../kernels/attention/attention.ts'
import { layerNorm, type Norm } from '../kernels/layer-norm/layer-norm.ts'
import { type Linear, linear } from '../kernels/linear/linear.ts'
import { meanPool } from '../kernels/mean-pool/mean-pool.ts'
import { patchEmbed } from '../kernels/patch-embed/patch-embed.ts'
import { rotary } from '../kernels/rotary/rotary.ts'
import { rotaryTable } from '../kernels/rotary/table.ts'
import { equalBatch } from '../runtime/batch.ts'
import type { Scope } from '../runtime/device.ts'
import { BareclipError } from '../runtime/errors.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { ConfigReader } from './config.ts'
import { deviceBatch, inRowChunks, type Trace, type VisionTower } from './tower.ts'
import type { WeightBuilder } from './weights.ts'

export interface Eva02Config {
  readonly hidden: number
  readonly layers: number
  readonly heads: number
  readonly headDim: number
  /** Width of the MLP behind the gate. */
  readonly intermediate: number
  readonly imageSize: number
  readonly patch: number
  /** Patches along one side. */
  readonly grid: number
  /** Rotary positions are multiplied by this: 1 in jina-clip-v1. */
  readonly stretch: number
  /** q and v have biases (k never has). */
  readonly qkvBias: boolean
}

export function readEva02Config(config: ConfigReader): Eva02Config {
  config.only('ls_init_value', null)
  config.only('post_norm', false)
  config.only('naive_swiglu', true)
  config.only('subln', true)
  config.only('rope_embeddings', true)
  config.only('proj_type', null)
  const hidden = config.size('width', 768)
  config.only('embed_dim', hidden)
  const headDim = config.size('head_width', 64)
  const imageSize = config.size('image_size', 224)
  const patch = config.size('patch_size', 16)
  const grid = Math.floor(imageSize / patch)
  const invalid = (problem: string) => new BareclipError('INVALID_CONFIG', `config.json: vision_config: ${problem}`)
  if (hidden % headDim !== 0) throw invalid(`width ${hidden} is no multiple of head_width ${headDim}`)
  if (headDim % 4 !== 0) throw invalid(`head_width ${headDim} is no multiple of 4, as two-dimensional rotary needs`)
  if (grid < 1) throw invalid(`image_size ${imageSize} holds no patch of ${patch}`)
  const interpolate = config.flag('intp_freq', false)
  if (!interpolate) config.only('pt_hw_seq_len', grid)
  return {
    hidden,
    layers: config.size('layers', 12),
    heads: hidden / headDim,
    headDim,
    intermediate: Math.floor(hidden * config.number('mlp_ratio', 2.6667)),
    imageSize,
    patch,
    grid,
    stretch: interpolate ? config.size('pt_hw_seq_len', 16) / grid : 1,
    qkvBias: config.flag('qkv_bias', true),
  }
}

interface Block {
  readonly norm1: Norm
  /** (3 · hidden, hidden): q, k, v */
  readonly qkv: Linear
  readonly innerNorm: Norm
  /** (hidden, hidden) */
  readonly attentionOut: Linear
  readonly norm2: Norm
  /** (2 · intermediate, hidden): w1, which is activated, then w2 */
  readonly gated: Linear
  readonly mlpNorm: Norm
  /** (hidden, intermediate) */
  readonly mlpOut: Linear
}

const epsilon = 1e-6

/** EVA-02: a ViT with two-dimensional rotary positions, SwiGLU and inner layer norms; normalised before each sub-layer. */
export function eva02(config: Eva02Config, prefix: string, weights: WeightBuilder): VisionTower {
  const { hidden, layers, heads, headDim, intermediate, imageSize, patch, grid, stretch, qkvBias } = config
  const tokens = 1 + grid * grid
  const norm = (name: string, width = hidden): Norm => ({
    ...weights.norm(name, width),
    epsilon,
  })
  const layer = (name: string, out: number, width: number, norm: string): Linear => ({
    ...weights.matrix([`${name}.weight`], out, width, { norm }),
    bias: weights.vector(`${name}.bias`, [out]),
  })
  const classToken = weights.vector(`${prefix}cls_token`, [1, 1, hidden])
  const position = weights.vector(`${prefix}pos_embed`, [1, tokens, hidden])
  const projection = {
    weight: weights.convolution(`${prefix}patch_embed.proj.weight`, [hidden, 3, patch, patch]),
    bias: weights.vector(`${prefix}patch_embed.proj.bias`, [hidden]),
  }
  const blocks = Array.from({ length: layers }, (_, i): Block => {
    const block = `${prefix}blocks.${i}.`
    return {
      norm1: norm(`${block}norm1`),
      qkv: {
        ...weights.matrix(
          ['q', 'k', 'v'].map((part) => `${block}attn.${part}_proj.weight`),
          hidden,
          hidden,
          { norm: `${block}norm1` },
        ),
        bias: qkvBias ? weights.stackedVector([`${block}attn.q_bias`, null, `${block}attn.v_bias`], hidden) : undefined,
      },
      innerNorm: norm(`${block}attn.inner_attn_ln`),
      attentionOut: layer(`${block}attn.proj`, hidden, hidden, `${block}attn.inner_attn_ln`),
      norm2: norm(`${block}norm2`),
      gated: {
        ...weights.matrix([`${block}mlp.w1.weight`, `${block}mlp.w2.weight`], intermediate, hidden, {
          norm: `${block}norm2`,
        }),
        bias: weights.stackedVector([`${block}mlp.w1.bias`, `${block}mlp.w2.bias`], intermediate),
      },
      mlpNorm: norm(`${block}mlp.ffn_ln`, intermediate),
      mlpOut: layer(`${block}mlp.w3`, hidden, intermediate, `${block}mlp.ffn_ln`),
    }
  })
  const lastNorm = norm(`${prefix}norm`)
  const scale = 1 / Math.sqrt(headDim)
  const table = rotaryTable(grid, headDim, stretch)

  const record = (scope: Scope, pixels: Float32Array, images: number, trace?: Trace): Tensor => {
    const batch = deviceBatch(scope, equalBatch(images, tokens))
    const cos = scope.input('rotary cos', 'f32', [tokens, headDim / 2], table.cos)
    const sin = scope.input('rotary sin', 'f32', [tokens, headDim / 2], table.sin)
    const input = scope.input('pixels', 'f32', [images, 3, imageSize, imageSize], pixels)
    let x = patchEmbed(scope, { pixels: input, patch, ...projection, classToken, position })
    trace?.('vision.embed', x)
    for (const [i, block] of blocks.entries()) {
      const qkv = linear(scope, layerNorm(scope, x, block.norm1), block.qkv)
      rotary(scope, { x: qkv, heads: 2 * heads, headDim, positions: batch.positions, cos, sin })
      trace?.(`vision.block${i}.qkv_rope`, qkv)
      let context = attention(scope, { qkv, batch, heads, scale })
      trace?.(`vision.block${i}.context`, context)
      if (i === layers - 1 && !trace) {
        // Only the class token is used from here on, so only its rows are worked out.
        context = meanPool(scope, context, batch, 1)
        x = meanPool(scope, x, batch, 1)
      }
      x = linear(scope, layerNorm(scope, context, block.innerNorm), block.attentionOut, { residual: x })
      trace?.(`vision.block${i}.after_attn`, x)
      x = inRowChunks(scope, x, (rows, into) => {
        const gated = linear(scope, layerNorm(scope, rows, block.norm2), block.gated, { gate: 'silu' })
        linear(scope, layerNorm(scope, gated, block.mlpNorm), block.mlpOut, { residual: rows, into })
      })
      trace?.(`vision.block${i}.after_mlp`, x)
    }
    x = layerNorm(scope, x, lastNorm)
    trace?.('vision.norm', x)
    return trace ? meanPool(scope, x, batch, 1) : x
  }
  return { hidden, layers, heads, imageSize, tokens, record }
}
