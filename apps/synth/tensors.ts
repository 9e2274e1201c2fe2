import type { Shape } from '../../runtime/shape.ts'
import type { Towers } from './outliers.ts'
import type { SynthConfig } from './presets.ts'

export interface NamedShape {
  readonly name: string
  readonly shape: Shape
}

/** What jina-bert-flash-implementation supplies where config.json is silent. */
export function textSizes(config: SynthConfig) {
  const given = config.text_config.hf_model_config_kwargs
  return {
    vocabulary: given.vocab_size ?? 30528,
    types: 2,
    hidden: given.hidden_size ?? 768,
    layers: given.num_hidden_layers ?? 12,
    heads: given.num_attention_heads ?? 12,
    intermediate: given.intermediate_size ?? 3072,
  }
}

/** Every tensor of the checkpoint, in the order in which the upstream modules register them. */
export function tensorList(config: SynthConfig): NamedShape[] {
  return [{ name: 'logit_scale', shape: [] }, ...textTensors(config), ...visionTensors(config)]
}

export function towersOf(config: SynthConfig): Towers {
  const text = textSizes(config)
  const { layers, head_width } = config.vision_config
  return {
    text_model: { layers: text.layers, headDim: text.hidden / text.heads },
    vision_model: { layers, headDim: head_width },
  }
}

function textTensors(config: SynthConfig): NamedShape[] {
  const { vocabulary, types, hidden, layers, intermediate } = textSizes(config)
  const { tensors, add, weightAndBias } = collect()
  add('text_model.transformer.embeddings.word_embeddings.weight', vocabulary, hidden)
  add('text_model.transformer.embeddings.token_type_embeddings.weight', types, hidden)
  weightAndBias('text_model.transformer.emb_ln', hidden)
  for (let i = 0; i < layers; i++) {
    const layer = `text_model.transformer.encoder.layers.${i}`
    weightAndBias(`${layer}.mixer.Wqkv`, 3 * hidden, hidden)
    weightAndBias(`${layer}.mixer.out_proj`, hidden, hidden)
    weightAndBias(`${layer}.norm1`, hidden)
    add(`${layer}.mlp.gated_layers.weight`, 2 * intermediate, hidden)
    weightAndBias(`${layer}.mlp.wo`, hidden, intermediate)
    weightAndBias(`${layer}.norm2`, hidden)
  }
  return tensors
}

function visionTensors(config: SynthConfig): NamedShape[] {
  const { width, patch_size, image_size, mlp_ratio, layers, qkv_bias } = config.vision_config
  const grid = Math.floor(image_size / patch_size)
  const intermediate = Math.trunc(width * mlp_ratio)
  const { tensors, add, weightAndBias } = collect()
  add('vision_model.cls_token', 1, 1, width)
  add('vision_model.pos_embed', 1, grid * grid + 1, width)
  weightAndBias('vision_model.patch_embed.proj', width, 3, patch_size, patch_size)
  for (let i = 0; i < layers; i++) {
    const block = `vision_model.blocks.${i}`
    weightAndBias(`${block}.norm1`, width)
    if (qkv_bias) for (const which of ['q', 'v']) add(`${block}.attn.${which}_bias`, width)
    for (const which of ['q', 'k', 'v']) add(`${block}.attn.${which}_proj.weight`, width, width)
    weightAndBias(`${block}.attn.inner_attn_ln`, width)
    weightAndBias(`${block}.attn.proj`, width, width)
    weightAndBias(`${block}.norm2`, width)
    weightAndBias(`${block}.mlp.w1`, intermediate, width)
    weightAndBias(`${block}.mlp.w2`, intermediate, width)
    weightAndBias(`${block}.mlp.ffn_ln`, intermediate)
    weightAndBias(`${block}.mlp.w3`, width, intermediate)
  }
  weightAndBias('vision_model.norm', width)
  return tensors
}

function collect() {
  const tensors: NamedShape[] = []
  const add = (name: string, ...shape: number[]) => {
    tensors.push({ name, shape })
  }
  /** The bias is as long as the weight's first dimension. */
  const weightAndBias = (name: string, ...shape: number[]) => {
    add(`${name}.weight`, ...shape)
    add(`${name}.bias`, shape[0]!)
  }
  return { tensors, add, weightAndBias }
}
