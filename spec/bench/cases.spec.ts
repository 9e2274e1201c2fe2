import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { benchCases, caseImages, casesNamed, caseTokens, defaultCases, tokensOf } from '../../bench/cases.ts'
import { towerFlops } from '../../bench/peers/compare.ts'
import { peerBytes, tooLarge } from '../../bench/peers/memory.ts'
import { peerTexts, peerTokens } from '../../bench/peers/words.ts'
import { createTokenizer } from '../../loaders/tokenizer/tokenizer.ts'

const named = (name: string) => casesNamed([name])[0]!

describe('bench: cases', () => {
  it('are found by name, in the order of the table, each once', () => {
    const names = (list: readonly { name: string }[]) => list.map(({ name }) => name)
    assert.deepEqual(names(casesNamed(['image-1', '1x16', '1x16'])), ['1x16', 'image-1'])
    assert.deepEqual(casesNamed(['all']), benchCases)
    const [texts, pictures] = casesNamed(['image-64', '3x70'])
    assert.deepEqual([texts!.lengths, pictures!.images], [[70, 70, 70], 64])
    assert.ok(!names(defaultCases).includes('1x8192'))
    assert.throws(() => casesNamed(['1x16', '1×16']), {
      code: 'INVALID_ARGUMENT',
      message:
        'there is no case "1×16"; there are 1x16, 1x128, 1x512, 8x128, 32x32, mixed, 1x2048, 1x8192, image-1, image-8, all',
    })
  })

  it('the mixed texts have 8 to 256 tokens', () => {
    const { lengths } = named('mixed')
    assert.deepEqual([lengths.length, Math.min(...lengths), Math.max(...lengths)], [32, 8, 256])
    assert.equal(tokensOf(named('mixed')), 4224)
  })

  for (const tower of [
    { vocabulary: 30_528, padId: 0 },
    { vocabulary: 350, padId: 0 },
    { vocabulary: 7, padId: 6 },
    { vocabulary: 2, padId: 1 },
  ]) {
    it(`tokens are in a vocabulary of ${tower.vocabulary} and never padding`, () => {
      for (const item of benchCases) {
        const texts = caseTokens(item, tower)
        assert.deepEqual(
          texts.map(({ tokens }) => tokens.length),
          item.lengths,
        )
        for (const { tokens } of texts) {
          assert.ok(tokens.every((id) => id >= 0 && id < tower.vocabulary && id !== tower.padId))
        }
      }
    })
  }

  it('the texts of the peers have the tokens that are said', () => {
    const json = JSON.parse(readFileSync(new URL('../fixtures/tokenizer/tokenizer.json', import.meta.url), 'utf8'))
    const tokenizer = createTokenizer(json)
    for (const item of benchCases.filter(({ images }) => images === 0)) {
      const found = peerTexts(item).map((text) => tokenizer.encode(text).ids)
      assert.deepEqual(found, peerTokens(item))
      assert.deepEqual(
        found.map(({ length }) => length),
        item.lengths,
      )
    }
  })

  it('images are RGB of the size asked for, and differ', () => {
    const images = caseImages(named('image-8'), 16)
    assert.deepEqual(
      images.map(({ data, width, height }) => [data.length, width, height]),
      new Array(8).fill([768, 16, 16]),
    )
    assert.equal(new Set(images.map(({ data }) => data.join())).size, 8)
  })

  it('the work of the full-size towers', () => {
    assert.equal(towerFlops(named('1x16')), 12 * (18_874_368 * 16 + 3072 * 256))
    assert.equal(towerFlops(named('32x32')), 32 * 12 * (18_874_368 * 32 + 3072 * 1024))
    assert.equal(towerFlops(named('image-8')), 8 * 35.13e9)
  })

  it('what onnxruntime is not asked for: 8192 tokens, where it took 21.8 GB natively and failed in WebAssembly', () => {
    const free = 23e9
    assert.ok(Math.abs(peerBytes('node', named('1x8192')) / 21.8e9 - 1) < 0.1)
    assert.match(tooLarge('node', named('1x8192'), free)!, /^skipped: it needs about 23 GB, 23 GB are free/)
    assert.equal(tooLarge('node', named('1x8192'), 64e9), undefined)
    assert.match(
      tooLarge('web', named('1x8192'), 64e9)!,
      /^skipped: .* WebAssembly has 4\.3 at most \(--force tries it\)$/,
    )
    for (const item of benchCases.filter(({ name }) => name !== '1x8192')) {
      assert.deepEqual([tooLarge('web', item, free), tooLarge('node', item, free)], [undefined, undefined], item.name)
    }
    assert.match(tooLarge('web', named('1x16'), 2e9)!, /2 GB are free/)
  })
})
