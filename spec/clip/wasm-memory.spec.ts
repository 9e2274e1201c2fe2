import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Clip, load, type ModelFiles } from '../../index.ts'
import type { ByteSource } from '../../platform/platform.ts'
import { threadsPossible } from '../../runtime/wasm/threads.ts'
import { watchMemories } from '../wasm-memories.ts'

const threadCounts = threadsPossible().possible ? [1, 2] : [1]
const mib = 2 ** 20
const page = 65536
const shapes = new URL('../../shapes/', import.meta.url)
const jsonOf = (name: string) => JSON.parse(readFileSync(new URL(name, shapes), 'utf8'))

const embed = async (clip: Clip) => (await clip.encodeText(['a red circle', 'a blue star above a green square'])).data

/** A text of so many tokens, none of them padding. */
const tokens = (length: number) => ({ tokens: Int32Array.from({ length }, (_, i) => 1 + (i % 40)) })

/** A checkpoint of which only the header may be read, with a table of so many rows. */
function headerOnly(rows: number): { files: ModelFiles; closed: () => boolean } {
  const bytes = new Uint8Array(readFileSync(new URL('model.safetensors', shapes)))
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
  let end = 0
  for (const [name, entry] of Object.entries<{ shape: number[]; data_offsets: number[]; dtype: string }>(header)) {
    if (name === '__metadata__') continue
    if (name.endsWith('word_embeddings.weight')) entry.shape[0] = rows
    const size = entry.shape.reduce((product, n) => product * n, entry.dtype === 'F32' ? 4 : 2)
    entry.data_offsets = [end, end + size]
    end += size
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const prefix = new Uint8Array(8 + text.length)
  new DataView(prefix.buffer).setBigUint64(0, BigInt(text.length), true)
  prefix.set(text, 8)
  let closed = false
  const weights: ByteSource = {
    name: 'huge.safetensors',
    size: prefix.length + end,
    async read(offset, length) {
      ok(offset + length <= prefix.length, 'data was read')
      return prefix.subarray(offset, offset + length)
    },
    close: async () => {
      closed = true
    },
  }
  const config = jsonOf('config.json')
  config.text_config.hf_model_config_kwargs.vocab_size = rows
  return { files: { config, tokenizer: jsonOf('tokenizer.json'), weights }, closed: () => closed }
}

/** Collects all garbage, or undefined where that cannot be asked for. */
function collector(): (() => void) | undefined {
  const { Bun, gc } = globalThis as { Bun?: { gc(force: boolean): void }; gc?: () => void }
  if (Bun) return () => Bun.gc(true)
  if (gc) return gc
  try {
    setFlagsFromString('--expose-gc')
    const exposed: unknown = runInNewContext('globalThis.gc')
    return typeof exposed === 'function' ? (exposed as () => void) : undefined
  } catch {
    return undefined
  }
}

for (const threads of threadCounts) {
  describe(`memory of a model on the wasm device, threads: ${threads}`, () => {
    const options = { device: 'wasm', threads } as const

    it('is set aside at once for all weights, and may grow to 4 GiB', async () => {
      const asked: (number | undefined)[] = []
      const note = ({ maximum }: WebAssembly.MemoryDescriptor) => {
        asked.push(maximum)
        return false
      }
      await watchMemories(async (made) => {
        using clip = await load(undefined, options)
        deepEqual(asked, [65536])
        const { byteLength } = made[0]!.deref()!.buffer
        ok(byteLength >= clip.memory().weights && byteLength < clip.memory().weights + (threads + 3) * mib)
      }, note)
    })

    it('does not grow when what was done is done again', async () => {
      await watchMemories(async (made) => {
        using clip = await load(undefined, options)
        const picture = { data: new Uint8Array(64 * 64 * 3).fill(99), width: 64, height: 64 }
        const work = async () => {
          await embed(clip)
          await clip.encodeImage([picture, picture])
          await clip.encodeText(tokens(500), { maxTokens: 500 })
        }
        await work()
        const ledger = clip.memory()
        const { byteLength } = made[0]!.deref()!.buffer
        for (let i = 0; i < 3; i++) await work()
        deepEqual(clip.memory(), ledger)
        equal(made[0]!.deref()!.buffer.byteLength, byteLength)
        equal(made.length, 1)
      })
    })

    it('where the engine refuses 4 GiB: less, and too long a text is OUT_OF_MEMORY, with the model none the worse', async () => {
      const asked: number[] = []
      const refuse = ({ maximum = 0 }: WebAssembly.MemoryDescriptor) => {
        asked.push(maximum)
        return maximum * page > 300 * mib
      }
      await watchMemories(async () => {
        using clip = await load(undefined, options)
        equal(clip.info.threads, threads, clip.info.reason)
        ok(asked.length > 2 && asked.every((pages, i) => i === 0 || pages < asked[i - 1]!), String(asked))
        const expected = await embed(clip)
        const { scratch } = clip.memory()
        await rejects(clip.encodeText(tokens(300_000), { maxTokens: 300_000 }), {
          code: 'OUT_OF_MEMORY',
          message: /^no memory for scratch, which would take it to \d+ MiB, past the limit of \d+ MiB: use a smaller/,
        })
        deepEqual(await embed(clip), expected)
        equal(clip.memory().scratch, scratch)
        equal((await clip.encodeText(tokens(700), { maxTokens: 700 })).rows, 1)
      }, refuse)
    })

    it('where the engine gives none at all: an error that says so, or the reference device', async () => {
      await watchMemories(
        async () => {
          await rejects(load(undefined, options), {
            code: 'OUT_OF_MEMORY',
            message:
              /^the wasm device does not work here: .*this engine gives no WebAssembly memory of \d+ MiB that may/,
          })
          using clip = await load(undefined, { threads })
          equal(clip.info.device, 'reference')
          match(clip.info.reason, /this engine gives no WebAssembly memory/)
        },
        () => true,
      )
    })

    it('a checkpoint that cannot be addressed is refused by its header', async () => {
      await watchMemories(async (made) => {
        for (const device of ['auto', 'wasm'] as const) {
          const { files, closed } = headerOnly(2 ** 23)
          await rejects(load(files, { device, threads }), {
            code: 'OUT_OF_MEMORY',
            message:
              /^the weights take 410\d MiB as f32, WebAssembly addresses 4096 MiB with 64 MiB for the rest: use a smaller dtype, or device: 'reference'$/,
          })
          ok(closed())
        }
        equal(made.length, 0)
      })
    })

    it('goes with the model: loaded and disposed many times, none is left', async function () {
      const collect = collector()
      if (!collect) this.skip()
      const kept: Clip[] = []
      await watchMemories(async (made) => {
        for (let i = 0; i < 12; i++) {
          const clip = await load(undefined, options)
          await clip.encodeText('a red circle')
          if (i % 3 === 0) void clip.encodeText('a blue star').catch(() => {})
          clip.dispose()
          kept.push(clip)
        }
        equal(made.length, 12)
        const left = () => made.filter((memory) => memory.deref() !== undefined).length
        for (let tries = 0; tries < 50 && left() > 1; tries++) {
          await new Promise((resolve) => setTimeout(resolve, 20))
          collect()
        }
        ok(left() <= 1, `${left()} memories are left`) // one may hang on the stack
        for (const clip of kept) equal(clip.memory().weights, 0)
      })
    })
  })
}
