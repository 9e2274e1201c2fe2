/** The sizes of synthetic checkpoint; `full` is jina-clip-v1's. */
export const synthSizes = ['full', 'tiny-a', 'tiny-b', 'tiny-e2e'] as const

export type SynthSize = (typeof synthSizes)[number]

/** What a config.json says of the text tower only where it differs from jina-bert-flash-implementation's defaults. */
export interface TextOverrides {
  readonly use_flash_attn: false
  readonly vocab_size?: number
  readonly hidden_size?: number
  readonly num_hidden_layers?: number
  readonly num_attention_heads?: number
  readonly intermediate_size?: number
}

type SynthTorchDtype = 'float32' | 'float16' | 'bfloat16'
export type SynthConfig = ReturnType<typeof configOf>
type VisionChanges = Partial<{
  width: number
  head_width: number
  image_size: number
  intp_freq: boolean
  layers: number
  pt_hw_seq_len: number
}>

interface Preset {
  readonly width: number
  readonly text: Omit<TextOverrides, 'use_flash_attn'>
  readonly vision: VisionChanges
}

const presets: Readonly<Record<SynthSize, Preset>> = {
  // 222,647,041 parameters, 890,588,164 bytes of float32
  full: { width: 768, text: {}, vision: {} },
  // heads a power of two; a 4×4 grid of patches; no interpolated frequencies, as in v1
  'tiny-a': {
    width: 64,
    text: { vocab_size: 512, hidden_size: 64, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 128 },
    vision: { width: 64, head_width: 16, image_size: 64, layers: 2, pt_hw_seq_len: 4 },
  },
  // 6 heads, so that ALiBi's slopes need their second branch; a 5×5 grid with interpolated frequencies, as in v2
  'tiny-b': {
    width: 96,
    text: { vocab_size: 512, hidden_size: 96, num_hidden_layers: 3, num_attention_heads: 6, intermediate_size: 160 },
    vision: { width: 96, head_width: 16, image_size: 80, layers: 2, pt_hw_seq_len: 16, intp_freq: true },
  },
  // the whole vocabulary and 224×224 pixels at a small width
  'tiny-e2e': {
    width: 96,
    text: { hidden_size: 96, num_hidden_layers: 2, num_attention_heads: 12, intermediate_size: 192 },
    vision: { width: 96, head_width: 8, layers: 2 },
  },
}

export function presetConfig(size: SynthSize, torchDtype: SynthTorchDtype): SynthConfig {
  return configOf(presets[size], torchDtype)
}

/** Keys in the order of the official file. */
function configOf({ width, text, vision }: Preset, torchDtype: SynthTorchDtype) {
  const overrides: TextOverrides = { use_flash_attn: false, ...text }
  return {
    add_projections: false,
    architectures: ['JinaCLIPModel'],
    initializer_factor: 1,
    logit_scale_init_value: 2.6592,
    model_type: 'jina_clip',
    projection_dim: width,
    text_config: {
      embed_dim: width,
      hf_model_config_kwargs: overrides,
      hf_model_name_or_path: 'jinaai/jina-bert-flash-implementation',
      model_type: 'jina_clip_text',
      pooler_type: 'mean_pooler',
      proj_bias: false,
      proj_type: null,
    },
    torch_dtype: torchDtype,
    vision_config: {
      embed_dim: width,
      fused_layer_norm: false,
      head_width: 64,
      image_size: 224,
      intp_freq: false,
      layers: 12,
      ls_init_value: null,
      mlp_ratio: 2.6667,
      model_type: 'jina_clip_vision',
      naive_swiglu: true,
      patch_dropout: 0.1,
      patch_size: 16,
      post_norm: false,
      pt_hw_seq_len: 14,
      qkv_bias: true,
      rope_embeddings: true,
      subln: true,
      width,
      x_attention: false,
      ...vision,
    },
  }
}

/** preprocessor_config.json of jina-clip-v1, at this config's image size. */
export function preprocessorOf(config: SynthConfig) {
  return {
    image_processor_type: 'JinaCLIPImageProcessor',
    size: config.vision_config.image_size,
    resize_mode: 'shortest',
    interpolation: 'bicubic',
    fill_color: 0,
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  }
}
