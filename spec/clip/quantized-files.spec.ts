import { deepEqual, rejects } from 'node:assert/strict'
import { load } from '../../index.ts'
import { changed, device, embedWith, floatsOf, quantized, synthFiles } from './stored-model.ts'

const wqkv = 'text_model.transformer.encoder.layers.0.mixer.Wqkv.weight'
const proj = 'vision_model.blocks.0.attn.proj.weight'
const word = 'text_model.transformer.embeddings.word_embeddings.weight'
const hidden = 96

describe('quantize, files of codes that are wrong', () => {
  type Change = Parameters<typeof changed>[1]
  const scaleAt =
    (value: number): Change =>
    (tensors) => {
      floatsOf(tensors.get(`${proj}_scale`)!)[2 * 7 + 1] = value
    }
  const cases: [what: string, dtype: 'q8' | 'q12', change: Change, code: string, message: RegExp][] = [
    [
      'no scales',
      'q8',
      (tensors) => tensors.delete(`${wqkv}_scale`),
      'MISSING_TENSOR',
      /no tensor .*Wqkv\.weight_scale, expected the scales of q8, with shape \(288, 2\)/,
    ],
    [
      'scales of another shape',
      'q8',
      (tensors) => tensors.set(`${proj}_scale`, { dtype: 'F32', shape: [hidden], bytes: new Uint8Array(4 * hidden) }),
      'TENSOR_SHAPE',
      /proj\.weight_scale: expected the scales of q8, shape \(96, 2\), found \(96\)/,
    ],
    [
      'scales in F16',
      'q12',
      (tensors) =>
        tensors.set(`${proj}_scale`, { dtype: 'F16', shape: [hidden, 2], bytes: new Uint8Array(4 * hidden) }),
      'UNSUPPORTED_MODEL',
      /proj\.weight_scale is F16; expected F32/,
    ],
    ['a scale that is NaN', 'q8', scaleAt(Number.NaN), 'NOT_FINITE', /proj\.weight_scale has NaN in row 7/],
    [
      'a scale that is infinite',
      'q12',
      scaleAt(Number.POSITIVE_INFINITY),
      'NOT_FINITE',
      /proj\.weight_scale has Infinity in row 7/,
    ],
    [
      'a scale below zero',
      'q8',
      scaleAt(-0.5),
      'INVALID_SAFETENSORS',
      /proj\.weight_scale has -0\.5 in row 7: a scale of q8 is finite and not negative/,
    ],
    [
      'a code of -128',
      'q8',
      (tensors) => tensors.get(proj)!.bytes.fill(0x80, hidden * 2, hidden * 2 + 1),
      'INVALID_SAFETENSORS',
      /proj\.weight has -128 in row 2: codes of q8 go from -127 to 127/,
    ],
    [
      'a code of 2048',
      'q12',
      (tensors) => tensors.get(proj)!.bytes.set([0x00, 0x08], 0),
      'INVALID_SAFETENSORS',
      /proj\.weight has 2048 in row 0: codes of q12 go from -2047 to 2047/,
    ],
    [
      'a code of -32768',
      'q12',
      (tensors) => tensors.get(proj)!.bytes.set([0x00, 0x80], 0),
      'INVALID_SAFETENSORS',
      /has -32768 in row 0/,
    ],
    [
      'floats among codes',
      'q8',
      (tensors) =>
        tensors.set(proj, { dtype: 'F32', shape: [hidden, hidden], bytes: new Uint8Array(4 * hidden * hidden) }),
      'UNSUPPORTED_MODEL',
      /proj\.weight is F32; expected I8/,
    ],
    [
      'codes without metadata',
      'q8',
      (_, metadata) => delete metadata.format,
      'UNSUPPORTED_MODEL',
      /is I(8|16); supported are F32, F16 and BF16; codes are read from files of bareclip quantize only/,
    ],
    [
      'a precision of later',
      'q8',
      (_, metadata) => (metadata.precision = 'q4'),
      'UNSUPPORTED_MODEL',
      /expected q8 or q12 as precision in the metadata, found "q4"/,
    ],
    [
      'q8 that says q12',
      'q8',
      (_, metadata) => (metadata.precision = 'q12'),
      'UNSUPPORTED_MODEL',
      /is I8; expected I16/,
    ],
    [
      'a table with NaN',
      'q8',
      (tensors) => tensors.get(word)!.bytes.fill(0x7e, 2 * hidden * 4, 2 * hidden * 4 + 2),
      'NOT_FINITE',
      /word_embeddings\.weight has NaN or infinity in row 4/,
    ],
  ]
  for (const [what, dtype, change, code, message] of cases) {
    it(`${what}: ${code}, whatever dtype is asked for`, async () => {
      const model = await changed(
        await quantized(synthFiles(), dtype),
        (tensors, metadata) => void change(tensors, metadata),
      )
      await rejects(load(model, { device }), { code, message })
      if (what !== 'a table with NaN') await rejects(load(model, { device, dtype: 'f32' }), { code, message })
    })
  }

  it('the order of the tensors in the file does not matter', async () => {
    const small = await quantized(synthFiles(), 'q8')
    const turned = await changed(small, (tensors) => {
      for (const [name, tensor] of [...tensors].reverse()) {
        tensors.delete(name)
        tensors.set(name, tensor)
      }
    })
    for (const dtype of [undefined, 'f32'] as const)
      deepEqual(await embedWith(turned, dtype), await embedWith(small, dtype))
  })
})
