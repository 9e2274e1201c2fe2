import { equal, throws } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { referenceKernels } from '../../kernels/reference.ts'
import { planModel } from '../../models/jina-clip.ts'
import { weightBuilder } from '../../models/weights.ts'
import { createReferenceDevice } from '../../runtime/reference/device.ts'
import { goldenFixture } from './golden-model.ts'

const config = (folder: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/golden/${folder}/config.json`, import.meta.url), 'utf8'))

function build(
  folder: string,
  change: (tensors: Map<string, { shape: readonly number[] }>) => void,
  dtype: 'f32' | 'f16' = 'f32',
) {
  const tensors = new Map<string, { shape: readonly number[] }>(goldenFixture(`${folder}/model.safetensors`))
  change(tensors)
  const device = createReferenceDevice(referenceKernels)
  const weights = weightBuilder(device, { name: 'model.safetensors', tensors }, dtype)
  planModel(config(folder)).build(weights)
  return { device, weights }
}

describe('weights', () => {
  it('names a missing tensor and its shape', () => {
    throws(() => build('tiny-a', (tensors) => tensors.delete('vision_model.blocks.1.attn.q_bias')), {
      code: 'MISSING_TENSOR',
      message:
        'model.safetensors: no tensor vision_model.blocks.1.attn.q_bias, expected with shape (64); config.json and weights must belong together',
    })
  })

  it('names a misshapen tensor, the shape expected and the shape found', () => {
    const name = 'text_model.transformer.encoder.layers.0.mixer.Wqkv.weight'
    throws(() => build('tiny-a', (tensors) => tensors.set(name, { shape: [64, 192] })), {
      code: 'TENSOR_SHAPE',
      message: `model.safetensors: tensor ${name}: expected shape (192, 64), found (64, 192); config.json and weights must belong together`,
    })
  })

  it('ignores surplus tensors', () => {
    const { weights } = build('tiny-a', (tensors) => tensors.set('text_model.alibi', { shape: [1, 4, 8, 8] }))
    equal(
      weights.fills.some(({ name }) => name === 'text_model.alibi'),
      false,
    )
  })

  it('reads every tensor of a jina-clip checkpoint exactly once', () => {
    const { weights } = build('tiny-b', () => {})
    const names = weights.fills.map(({ name }) => name).sort()
    equal(JSON.stringify(names), JSON.stringify([...goldenFixture('tiny-b/model.safetensors').keys()].sort()))
  })

  it('takes no more memory than the weights in their dtype', () => {
    const { device } = build('tiny-a', () => {})
    const tensors = [...goldenFixture('tiny-a/model.safetensors')].filter(([name]) => name !== 'logit_scale')
    const bytes = tensors.reduce((sum, [, { values }]) => sum + values.byteLength, 0)
    const zeroBiasesOfK = 2 * 64 * 4
    equal(device.memory().weights, bytes + zeroBiasesOfK)
  })

  it('in f16, matrices and tables take half; vectors and the patch projection stay f32', () => {
    const { device } = build('tiny-a', () => {}, 'f16')
    const tensors = [...goldenFixture('tiny-a/model.safetensors')].filter(([name]) => name !== 'logit_scale')
    const half = (name: string, shape: readonly number[]) =>
      /weight$/.test(name) && shape.length === 2 && !name.includes('patch_embed')
    const bytes = tensors.reduce(
      (sum, [name, { shape, values }]) => sum + values.byteLength / (half(name, shape) ? 2 : 1),
      0,
    )
    equal(device.memory().weights, bytes + 2 * 64 * 4)
  })

  it('finds JinaBertModel names with the prefix bert. too', () => {
    const { weights } = build('tiny-jinabert', (tensors) => {
      for (const [name, tensor] of [...tensors]) {
        tensors.delete(name)
        tensors.set(`bert.${name}`, tensor)
      }
    })
    equal(
      weights.fills.every(({ name }) => name.startsWith('bert.')),
      true,
    )
  })

  it('refuses the variant with q/k layer norms', () => {
    throws(
      () =>
        build('tiny-jinabert', (tensors) => tensors.set('encoder.layer.0.mlp.up_gated_layer.weight', { shape: [1] })),
      { code: 'UNSUPPORTED_MODEL', message: /encoder\.layer\.0\.mlp\.up_gated_layer\.weight: a JinaBERT variant/ },
    )
  })
})
