import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type Clip, load } from '../../index.ts'
import { assertClose } from '../close.ts'

const picture = (name: string) => readFileSync(new URL(`../../shapes/pictures/${name}`, import.meta.url))

describe('classify and rank', () => {
  let clip: Clip
  before(async () => {
    clip = await load()
  })
  after(() => clip.dispose())

  it('classify: probabilities fall, add up to 1, and the answer makes sense', async () => {
    const labels = ['red circle', 'blue square', 'yellow star']
    const result = await clip.classify(picture('yellow-star.png'), labels, { template: 'a {}' })
    equal(result[0]!.label, 'yellow star')
    assertClose([result.reduce((sum, { probability }) => sum + probability, 0)], [1], 1e-12, 'sum')
    ok(result.every(({ probability }, i) => i === 0 || probability <= result[i - 1]!.probability))
    const [texts, image] = [await clip.encodeText('a yellow star'), await clip.encodeImage(picture('yellow-star.png'))]
    const cosine = texts.row(0).reduce((sum, value, i) => sum + value * image.row(0)[i]!, 0)
    assertClose([result[0]!.cosine], [cosine], 1e-6, 'cosine')
  })

  it('classify: a list of images gives a list', async () => {
    const results = await clip.classify(
      [picture('red-circle.png'), picture('white-moon.png')],
      ['red circle', 'white moon'],
      {
        template: 'a {}',
      },
    )
    deepEqual(
      results.map(([best]) => best!.label),
      ['red circle', 'white moon'],
    )
    deepEqual(await clip.classify([], ['a']), [])
  })

  it('the template’s {} is the label, to the letter', async () => {
    const [[a], [b]] = [
      await clip.classify(picture('red-circle.png'), ['$& $1'], { template: '{} and {}' }),
      await clip.rank(picture('red-circle.png'), ['$& $1 and $& $1']),
    ]
    assertClose([a!.cosine], [b!.cosine], 1e-7, 'cosine')
  })

  const wrong: [labels: unknown, options: object, message: RegExp][] = [
    [[], {}, /labels should be an array of one label or more, found an array of 0/],
    ['red', {}, /labels should be an array/],
    [[3], {}, /a label should be a string, found 3/],
    [['red'], { template: 'no place' }, /template should be a string that holds '\{\}', found "no place"/],
  ]
  for (const [labels, options, message] of wrong) {
    it(`refuses ${JSON.stringify(labels)} ${JSON.stringify(options)}`, async () => {
      await rejects(clip.classify(picture('red-circle.png'), labels as string[], options), {
        code: 'INVALID_ARGUMENT',
        message,
      })
    })
  }

  it('cosines stay cosines whatever the caller passes', async () => {
    const options = { template: 'a {}', normalize: false } as object
    const [best] = await clip.classify(picture('yellow-star.png'), ['yellow star'], options)
    ok(Math.abs(best!.cosine) <= 1 + 1e-6)
  })

  it('the temperature of a checkpoint in f16 or bf16 is read as one', async () => {
    for (const file of ['model.safetensors', 'model.f16.safetensors', 'model.bf16.safetensors']) {
      using tiny = await loadTinyA(file)
      const pixels = { data: new Uint8Array(64 * 64 * 3).fill(90), width: 64, height: 64 }
      const result = await tiny.classify(pixels, ['', '[UNK]'], { template: '{}' })
      const difference = Math.log(result[0]!.probability / result[1]!.probability)
      // exp(logit_scale) is 100; in bf16 exp(4.59375) = 98.9
      assertClose([difference / (result[0]!.cosine - result[1]!.cosine)], [99.5], 1, file)
    }
  })

  it('rank: texts and images, by text and by image', async () => {
    const documents = [picture('black-arrow.png'), 'a red circle', picture('red-circle.png'), 'a black arrow']
    const byText = await clip.rank('a red circle', documents)
    deepEqual(
      byText.slice(0, 2).map(({ index }) => index),
      [1, 2],
    )
    assertClose([byText[0]!.cosine], [1], 1e-6, 'itself')
    ok(byText.every(({ cosine }, i) => i === 0 || cosine <= byText[i - 1]!.cosine))
    const byImage = await clip.rank(picture('black-arrow.png'), documents)
    deepEqual(
      byImage
        .slice(0, 2)
        .map(({ index }) => index)
        .sort(),
      [0, 3],
    )
    deepEqual(await clip.rank('a', []), [])
  })

  it('rank: a failed document comes last, with NaN', async () => {
    const result = await clip.rank('a red circle', [new Uint8Array(3), 'a red circle'], { onError: 'keep' })
    deepEqual(
      result.map(({ index }) => index),
      [1, 0],
    )
    ok(Number.isNaN(result[1]!.cosine))
    await rejects(clip.rank(new Uint8Array(3), ['a'], { onError: 'keep' }), { code: 'INVALID_IMAGE' })
    await rejects(clip.rank('a', 'b' as unknown as string[]), { code: 'INVALID_ARGUMENT' })
  })

  it('a model without logit_scale or vision tower: rank of texts only', async () => {
    using text = await loadJinaBert()
    equal(text.info.type, 'jina-bert')
    const [other, same] = [{ tokens: [101, 300, 102] }, { tokens: [101, 400, 102] }]
    equal((await text.rank(same, [other, same]))[0]!.index, 1)
    await rejects(text.encodeImage([]), { code: 'UNSUPPORTED_MODEL', message: /no vision tower/ })
    await rejects(text.classify(picture('red-circle.png'), ['a']), { code: 'UNSUPPORTED_MODEL' })
  })

  it('ids beyond the model’s vocabulary are refused, not looked up', async () => {
    using text = await loadJinaBert()
    await rejects(text.encodeText('zebra'), { code: 'INVALID_INPUT', message: /the model knows ids below 512/ })
  })
})

/** The stored checkpoint of 512 pieces. */
function loadTinyA(weights: string): Promise<Clip> {
  const file = (path: string) => new Uint8Array(readFileSync(new URL(`../fixtures/${path}`, import.meta.url)))
  return load({
    config: file('golden/tiny-a/config.json'),
    tokenizer: file('tokenizer/tokenizer.json'),
    weights: file(`golden/tiny-a/${weights}`),
  })
}

/** The stored JinaBertModel of 512 pieces, with the tokenizer of 30528. */
function loadJinaBert(): Promise<Clip> {
  const file = (path: string) => new Uint8Array(readFileSync(new URL(`../fixtures/${path}`, import.meta.url)))
  return load({
    config: file('golden/tiny-jinabert/config.json'),
    tokenizer: file('tokenizer/tokenizer.json'),
    weights: file('golden/tiny-jinabert/model.safetensors'),
  })
}
