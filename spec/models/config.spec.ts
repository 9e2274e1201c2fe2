import { equal, throws } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { planModel } from '../../models/jina-clip.ts'

const golden = new URL('../fixtures/golden/', import.meta.url)
const read = (folder: string) => JSON.parse(readFileSync(new URL(`${folder}/config.json`, golden), 'utf8'))

/** A copy of the config with one value set; a path's parts are separated by dots. */
function changed(config: Record<string, unknown>, path: string, value: unknown): unknown {
  const copy = structuredClone(config)
  const keys = path.split('.')
  const last = keys.pop()!
  let target: Record<string, unknown> = copy
  for (const key of keys) {
    target[key] ??= {}
    target = target[key] as Record<string, unknown>
  }
  target[last] = value
  return copy
}

describe('config.json', () => {
  it('reads the official form, where the text tower’s values are defaults', () => {
    const plan = planModel({ model_type: 'jina_clip', text_config: {}, vision_config: {} })
    equal(plan.hidden, 768)
    equal(plan.imageSize, 224)
    equal(plan.type, 'jina-clip')
  })

  it('takes the overrides of hf_model_config_kwargs', () => {
    equal(planModel(read('tiny-a')).hidden, 64)
    equal(planModel(read('tiny-b')).imageSize, 80)
  })

  it('reads a JinaBertModel as a text model', () => {
    const plan = planModel(read('tiny-jinabert'))
    equal(plan.type, 'jina-bert')
    equal(plan.imageSize, undefined)
  })

  it('ignores unknown keys and the other name of the text tower', () => {
    const config = changed(read('tiny-a'), 'text_config.hf_model_name_or_path', 'jinaai/jina-bert-v2-base-en-flash')
    equal(planModel(changed(config as Record<string, unknown>, 'some_new_key', { a: [1] })).hidden, 64)
  })

  const refused: [path: string, value: unknown, found: string][] = [
    ['model_type', 'clip', '"clip"'],
    ['add_projections', true, 'true'],
    ['text_config.pooler_type', 'cls_pooler', '"cls_pooler"'],
    ['text_config.proj_type', 'linear', '"linear"'],
    ['text_config.hf_model_name_or_path', 'jinaai/jina-embeddings-v3', '"jinaai/jina-embeddings-v3"'],
    ['text_config.embed_dim', 512, '512'],
    ['text_config.hf_model_config_kwargs.hidden_act', 'relu', '"relu"'],
    ['text_config.hf_model_config_kwargs.mlp_type', 'mlp', '"mlp"'],
    ['text_config.hf_model_config_kwargs.use_qk_norm', true, 'true'],
    ['text_config.hf_model_config_kwargs.window_size', [64, 64], '[64,64]'],
    ['vision_config.ls_init_value', 0.1, '0.1'],
    ['vision_config.post_norm', true, 'true'],
    ['vision_config.naive_swiglu', false, 'false'],
    ['vision_config.subln', false, 'false'],
    ['vision_config.rope_embeddings', false, 'false'],
    ['vision_config.proj_type', 'mlp', '"mlp"'],
    ['vision_config.embed_dim', 1024, '1024'],
    ['vision_config.pt_hw_seq_len', 16, '16'],
  ]
  for (const [path, value, found] of refused) {
    it(`refuses ${path} = ${found}, naming key, value and what is supported`, () => {
      throws(
        () => planModel(changed(read('tiny-a'), path, value)),
        (error: Error & { code?: string }) =>
          error.code === 'UNSUPPORTED_MODEL' &&
          error.message.startsWith(`config.json: ${path} is ${found}; supported is `),
      )
    })
  }

  it('null stands for the default', () => {
    equal(planModel(changed(read('tiny-a'), 'vision_config.post_norm', null)).hidden, 64)
    equal(planModel({ model_type: 'jina_clip' }).hidden, 768)
  })

  it('refuses an ordinary BERT', () => {
    throws(() => planModel({ model_type: 'bert', hidden_size: 768 }), {
      code: 'UNSUPPORTED_MODEL',
      message: /ordinary BERT/,
    })
    throws(() => planModel(changed(read('tiny-jinabert'), 'position_embedding_type', 'absolute')), {
      code: 'UNSUPPORTED_MODEL',
      message: 'config.json: position_embedding_type is "absolute"; supported is "alibi"',
    })
  })

  const invalid: [path: string, value: unknown, message: string][] = [
    ['vision_config.width', -1, 'config.json: vision_config.width should be a positive integer, found -1'],
    ['vision_config.layers', 'many', 'config.json: vision_config.layers should be a positive integer, found "many"'],
    ['vision_config.intp_freq', 1, 'config.json: vision_config.intp_freq should be true or false, found 1'],
    ['vision_config', [], 'config.json: vision_config should be an object, found an array of 0'],
    ['vision_config.head_width', 24, 'config.json: vision_config: width 64 is no multiple of head_width 24'],
    [
      'text_config.hf_model_config_kwargs.num_attention_heads',
      7,
      'config.json: hidden_size 64 is no multiple of 7 attention heads',
    ],
    ['truncate_dim', 65, 'config.json: truncate_dim 65 is more than the 64 components'],
  ]
  for (const [path, value, message] of invalid) {
    it(`refuses ${path} = ${JSON.stringify(value)}`, () => {
      throws(() => planModel(changed(read('tiny-a'), path, value)), { code: 'INVALID_CONFIG', message })
    })
  }

  for (const json of [null, 3, 'text', [], {}]) {
    it(`refuses ${JSON.stringify(json)}`, () => {
      throws(() => planModel(json), { code: 'INVALID_CONFIG' })
    })
  }
})
