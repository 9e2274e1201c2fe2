import assert from 'node:assert/strict'
import { readPreprocessing } from '../../../loaders/image/image.ts'
import { rejects } from './support.ts'

const MEAN = [0.48145466, 0.4578275, 0.40821073]
const STD = [0.26862954, 0.26130258, 0.27577711]

describe('preprocessor_config.json', () => {
  it('is read as jina-clip-v1 writes it', () => {
    const json = {
      image_processor_type: 'JinaCLIPImageProcessor',
      size: 64,
      resize_mode: 'shortest',
      interpolation: 'bicubic',
      fill_color: 0,
      mean: [0.1, 0.2, 0.3],
      std: [1, 2, 3],
    }
    assert.deepEqual(readPreprocessing(json), { size: 64, mean: [0.1, 0.2, 0.3], std: [1, 2, 3] })
  })

  it('has the values of jina-clip-v1 where it is silent', () => {
    assert.deepEqual(readPreprocessing({}), { size: 224, mean: MEAN, std: STD })
    assert.deepEqual(readPreprocessing({ size: null, mean: null }), { size: 224, mean: MEAN, std: STD })
  })

  it('may name the size in any usual form', () => {
    for (const size of [96, [96, 96], { shortest_edge: 96 }, { height: 96, width: 96 }]) {
      assert.equal(readPreprocessing({ size }).size, 96)
    }
  })

  it("is read in CLIP's keys too", () => {
    const json = {
      crop_size: { height: 32, width: 32 },
      size: { shortest_edge: 32 },
      image_mean: [0, 0, 0],
      image_std: [1, 1, 1],
      resample: 3,
      do_resize: true,
      do_center_crop: true,
      do_normalize: true,
      rescale_factor: 1 / 255,
    }
    assert.deepEqual(readPreprocessing(json), { size: 32, mean: [0, 0, 0], std: [1, 1, 1] })
    assert.equal(readPreprocessing({ crop_size: 32 }).size, 32)
  })

  for (const [json, message] of [
    [{ resize_mode: 'longest' }, /resize_mode "longest" is not supported, only "shortest"/],
    [{ resize_mode: 'squash' }, /resize_mode "squash"/],
    [{ interpolation: 'bilinear' }, /interpolation "bilinear" is not supported, only "bicubic"/],
    [{ resample: 2 }, /resample 2 is not supported, only 3/],
    [{ do_center_crop: false }, /do_center_crop false/],
    [{ do_normalize: false }, /do_normalize false/],
    [{ rescale_factor: 1 }, /rescale_factor 1 is not supported, only 1\/255/],
    [{ size: { height: 32, width: 64 } }, /size \{"height":32,"width":64\} is not supported, only a square/],
    [{ size: 32, crop_size: 16 }, /crop_size 16 is not supported, only the same as size, 32/],
  ] as const) {
    it(`refuses ${JSON.stringify(json)} as unsupported`, () =>
      rejects(() => readPreprocessing(json), 'UNSUPPORTED_MODEL', message))
  }

  for (const [json, message] of [
    [null, /expected the file to be an object, got null/],
    ['text', /expected the file to be an object, got "text"/],
    [[], /expected the file to be an object, got an array of 0/],
    [{ size: '224' }, /expected size to be a number of pixels from 1 to 4096, got "224"/],
    [{ size: 0 }, /got 0/],
    [{ size: -1 }, /got -1/],
    [{ size: 1.5 }, /got 1.5/],
    [{ size: 1e9 }, /got 1000000000/],
    [{ size: [] }, /expected size/],
    [{ size: {} }, /got undefined/],
    [{ mean: 0.5 }, /expected mean to be three numbers \(red, green, blue\), got 0.5/],
    [{ mean: [1, 2] }, /expected mean .* got an array of 2/],
    [{ mean: [1, 2, '3'] }, /expected mean/],
    [{ std: [1, 1, 0] }, /expected std to be three positive numbers/],
    [{ image_std: [1, 1, Number.NaN] }, /expected image_std/],
    [{ interpolation: {} }, /expected interpolation to be a string/],
    [{ do_resize: 'yes' }, /expected do_resize to be a boolean, got "yes"/],
    [{ rescale_factor: 'x' }, /expected rescale_factor to be a number, got "x"/],
  ] as const) {
    it(`refuses ${JSON.stringify(json)} as invalid`, () =>
      rejects(() => readPreprocessing(json), 'INVALID_CONFIG', message))
  }
})
