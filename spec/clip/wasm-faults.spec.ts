import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type Clip, load, type ModelFiles, type Progress, type TextOptions } from '../../index.ts'
import { threadsPossible } from '../../runtime/wasm/threads.ts'
import { factory } from '../runtime/thread-machine.ts'

const threadCounts = threadsPossible().possible ? [1, 3] : [1]
const golden = (name: string) => new URL(`../fixtures/golden/tiny-a/${name}`, import.meta.url)

const config = JSON.parse(readFileSync(golden('config.json'), 'utf8'))
config.text_config.hf_model_config_kwargs.num_hidden_layers = 1

/** Hidden width 64, one layer of text. */
const tiny: ModelFiles = {
  config,
  weights: golden('model.safetensors'),
  tokenizer: new URL('../../shapes/tokenizer.json', import.meta.url),
}

/** A text of so many tokens, none of them padding. */
const tokens = (length: number) => ({ tokens: Int32Array.from({ length }, (_, i) => 1 + ((i * 31) % 60)) })
/** Several seconds of work. */
const long = (clip: Clip, options: TextOptions) =>
  clip.encodeText(
    Array.from({ length: 20 }, () => tokens(20_000)),
    { maxTokens: 20_000, ...options },
  )
const embed = async (clip: Clip) => (await clip.encodeText([tokens(30), tokens(700), tokens(3)])).data

for (const threads of threadCounts) {
  describe(`a model on the wasm device under stress, threads: ${threads}`, () => {
    const options = { device: 'wasm', threads } as const

    // Once is enough: it takes a while.
    if (threads === threadCounts.at(-1)) {
      it('a text of 20000 tokens', async () => {
        using clip = await load(tiny, options)
        const expected = await embed(clip)
        const { data, usage } = await clip.encodeText(tokens(20_000), { maxTokens: 20_000 })
        deepEqual(usage, [{ tokens: 20_000, truncated: false }])
        ok(Math.abs(Math.hypot(...data) - 1) < 1e-5)
        ok(clip.memory().scratch < 20_000 * 64 * 4 * 20, `${clip.memory().scratch} bytes of scratch`)
        deepEqual(await embed(clip), expected)
      })
    }

    it('an abort in the middle of a long run ends it, and the next call has the same bits', async () => {
      using clip = await load(tiny, options)
      const expected = await embed(clip)
      for (const delay of [5, 60, 200]) {
        const controller = new AbortController()
        const reason = new Error('enough')
        let aborted = Number.NaN
        setTimeout(() => {
          aborted = performance.now()
          controller.abort(reason)
        }, delay)
        await rejects(long(clip, { signal: controller.signal }), reason)
        const took = performance.now() - aborted
        ok(took < 1000, `${took} ms`)
        deepEqual(await embed(clip), expected)
      }
    })

    it('calls to two models take turns as they like', async () => {
      using one = await load(tiny, options)
      using other = await load(undefined, options)
      const words = async () => (await other.encodeText(['a red circle', 'a blue star'])).data
      const expected = [await embed(one), await words()]
      const calls = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? embed(one) : words()))
      const found = await Promise.all(calls)
      for (const [i, data] of found.entries()) deepEqual(data, expected[i % 2], `call ${i}`)
      one.dispose()
      deepEqual(await words(), expected[1])
    })

    if (threads === 1) return

    it('an abort while threads start that never answer', async () => {
      const { workers } = factory('setInterval(() => {}, 1000)')
      const controller = new AbortController()
      const reason = new Error('enough')
      setTimeout(() => controller.abort(reason), 100)
      await rejects(load(tiny, { ...options, workers, signal: controller.signal }), reason)
    })

    it('a worker killed from outside: DEVICE_FAILED, then new threads and the same bits', async () => {
      const { made, workers } = factory()
      using clip = await load(tiny, { ...options, workers })
      const expected = await embed(clip)
      for (let round = 1; round <= 2; round++) {
        equal(made.length, round * threads)
        let killed = false
        const onProgress = ({ done }: Progress) => {
          if (done === 0 || killed) return
          killed = true
          void made.at(-round)!.terminate()
        }
        const run = rejects(long(clip, { onProgress }), {
          name: 'BareclipError',
          code: 'DEVICE_FAILED',
          message: /^a thread ended: .*; the next call starts new threads$/,
        })
        const waiting = embed(clip)
        await run
        deepEqual(await waiting, expected, 'the call that waited')
        deepEqual(await embed(clip), expected)
      }
    })
  })
}
