import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openSafetensors, type Safetensors } from '../../../loaders/safetensors/safetensors.ts'
import { encodeSafetensors } from '../../../loaders/safetensors/write.ts'
import { openSource } from '../../../loaders/source.ts'
import type { ByteSource } from '../../../platform/platform.ts'
import { toF32, viewOf } from '../../../runtime/dtype.ts'
import { golden, goldenBytes, open } from './files.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function gather(pieces: AsyncIterable<{ offset: number; bytes: Uint8Array }>) {
  const offsets: number[] = []
  const parts: Uint8Array[] = []
  for await (const { offset, bytes } of pieces) {
    offsets.push(offset)
    parts.push(bytes.slice())
  }
  return { offsets, lengths: parts.map((part) => part.length), bytes: new Uint8Array(Buffer.concat(parts)) }
}

describe('safetensors reading', () => {
  const manifest = JSON.parse(readFileSync(golden('tiny-a/tensors.json'), 'utf8')) as {
    tensors: { name: string; shape: number[]; sha256_f32_le: string; first: number[]; last: number }[]
  }

  it('reads every tensor of a checkpoint from a path, whole and in chunks', async () => {
    const source = await openSource(fileURLToPath(golden('tiny-a/model.safetensors')))
    const checkpoint = await openSafetensors(source)
    try {
      assert.deepEqual(checkpoint.metadata, { format: 'pt' })
      assert.deepEqual(
        [...checkpoint.tensors.keys()],
        manifest.tensors.map(({ name }) => name),
      )
      for (const { name, shape, sha256_f32_le } of manifest.tensors) {
        assert.deepEqual(checkpoint.tensors.get(name)?.shape, shape)
        assert.equal(sha256(await checkpoint.read(name)), sha256_f32_le)
        assert.equal(sha256((await gather(checkpoint.chunks(name, 1000))).bytes), sha256_f32_le)
      }
    } finally {
      await checkpoint.close()
    }
  })

  it('f16 and bf16 checkpoints hold the values of the f32 one, rounded', async () => {
    for (const [file, dtype, tolerance] of [
      ['tiny-a/model.f16.safetensors', 'f16', 2 ** -11],
      ['tiny-a/model.bf16.safetensors', 'bf16', 2 ** -8],
    ] as const) {
      const checkpoint = await open(goldenBytes(file))
      for (const { name, first, last } of manifest.tensors) {
        const values = toF32(dtype, viewOf(dtype, await checkpoint.read(name)))
        for (const [value, expected] of [...first.map((x, i) => [values[i]!, x]), [values.at(-1)!, last]] as const) {
          assert.ok(
            Math.abs(value - expected) <= Math.abs(expected) * tolerance + 2 ** -25,
            `${name}: ${value}, ${expected}`,
          )
        }
      }
    }
  })

  it('reads from views that begin anywhere in their buffer, and viewOf takes what comes', async () => {
    const bytes = goldenBytes('tiny-a/model.safetensors')
    const { name, first } = manifest.tensors[1]!
    for (const offset of [0, 1, 2, 3, 4, 7]) {
      const room = new Uint8Array(offset + bytes.length + 5)
      room.set(bytes, offset)
      const checkpoint = await open(room.subarray(offset, offset + bytes.length))
      const values = viewOf('f32', await checkpoint.read(name))
      assert.deepEqual([...values.subarray(0, 4)], first)
      for await (const { offset, bytes } of checkpoint.chunks(name, 4096)) {
        if (offset === 0) assert.deepEqual([...viewOf('f32', bytes).subarray(0, 4)], first)
      }
    }
  })

  describe('chunks', () => {
    const data = Uint8Array.from({ length: 24 }, (_, i) => i)
    const make = (dtype: 'F32' | 'F16' | 'U8' | 'F64' | 'F6_E3M2', count: number) =>
      open(encodeSafetensors([{ name: 'x', dtype, shape: [count], bytes: () => data }]))

    it('are whole elements, in order, without gaps, as large as allowed', async () => {
      const cases = [
        [await make('F32', 6), 9, [8, 8, 8]],
        [await make('F32', 6), 4, [4, 4, 4, 4, 4, 4]],
        [await make('F32', 6), 20, [20, 4]],
        [await make('F32', 6), 24, [24]],
        [await make('F32', 6), 1e9, [24]],
        [await make('F32', 6), Number.POSITIVE_INFINITY, [24]],
        [await make('F16', 12), 7, [6, 6, 6, 6]],
        [await make('U8', 24), 23, [23, 1]],
        [await make('F64', 3), 17, [16, 8]],
        [await make('F6_E3M2', 32), 10, [9, 9, 6]],
      ] as const
      for (const [file, maxBytes, lengths] of cases) {
        const pieces = await gather(file.chunks('x', maxBytes))
        assert.deepEqual(pieces.lengths, lengths)
        assert.deepEqual(
          pieces.offsets,
          lengths.map((_, i) => lengths.slice(0, i).reduce((a: number, b) => a + b, 0)),
        )
        assert.deepEqual(pieces.bytes, data)
      }
    })

    it('of no elements are none', async () => {
      const file = await open(
        encodeSafetensors([{ name: 'x', dtype: 'F32', shape: [0, 4], bytes: () => new Uint8Array(0) }]),
      )
      assert.deepEqual((await gather(file.chunks('x', 16))).lengths, [])
      assert.equal((await file.read('x')).length, 0)
    })

    it('refuse a limit below one element', async () => {
      const file = await make('F32', 6)
      for (const maxBytes of [3, 0, -4, Number.NaN]) {
        await assert.rejects(gather(file.chunks('x', maxBytes)), {
          code: 'INVALID_ARGUMENT',
          message: `expected maxBytes of at least one element, got ${maxBytes}`,
        })
      }
    })

    it('hold at most two pieces at once, and leave no read behind when the caller stops', async () => {
      const bytes = encodeSafetensors([{ name: 'x', dtype: 'F32', shape: [6], bytes: () => data }])
      let [reads, running] = [0, 0]
      const slow: ByteSource = {
        name: 'slow',
        size: bytes.length,
        async read(offset, length) {
          reads++
          running++
          await new Promise((resolve) => setTimeout(resolve, 5))
          running--
          return bytes.subarray(offset, offset + length)
        },
        close: async () => assert.equal(running, 0),
      }
      const file = await openSafetensors(slow)
      reads = 0
      for await (const { offset } of file.chunks('x', 4)) {
        assert.ok(reads <= offset / 4 + 2)
        if (offset === 8) break
      }
      assert.equal(running, 0)
      assert.equal(reads, 4)
      await file.close()
    })
  })

  describe('errors', () => {
    const bytes = encodeSafetensors([{ name: 'x', dtype: 'F32', shape: [8], bytes: () => new Uint8Array(32) }])

    /** A source whose reads from `failFrom` on do what `fail` does. */
    function failing(failFrom: number, fail: (offset: number, length: number) => Promise<Uint8Array>): ByteSource {
      return {
        name: 'disk',
        size: bytes.length,
        read: async (offset, length) =>
          offset + length > failFrom ? fail(offset, length) : bytes.subarray(offset, offset + length),
        close: async () => {},
      }
    }

    it('name a tensor that is not there', async () => {
      const file = await open(bytes)
      const expected = { code: 'MISSING_TENSOR', message: 'bytes: no tensor "toString" among its 1' }
      await assert.rejects(file.read('toString'), expected)
      await assert.rejects(gather(file.chunks('toString', 8)), expected)
    })

    it('say so when the file is cut while it is open, in the header or in a tensor', async () => {
      const cut = (limit: number) =>
        failing(limit, async (offset, length) => bytes.subarray(offset, Math.min(offset + length, limit)))
      await assert.rejects(openSafetensors(cut(3)), {
        code: 'READ_FAILED',
        message: /^disk: expected 8 bytes at 0, got 3: was the file cut/,
      })
      await assert.rejects(openSafetensors(cut(20)), {
        code: 'READ_FAILED',
        message: /^disk: expected \d+ bytes at 8, got 12/,
      })
      const file = await openSafetensors(cut(bytes.length - 5))
      await assert.rejects(file.read('x'), { code: 'READ_FAILED', message: /expected 32 bytes at \d+, got 27/ })
      await assert.rejects(gather(file.chunks('x', 8)), {
        code: 'READ_FAILED',
        message: /expected 8 bytes at \d+, got 3/,
      })
    })

    it('of the source pass through; a failed read-ahead is reported once, when its turn comes', async () => {
      const broken = new Error('EIO')
      const file = await openSafetensors(failing(bytes.length - 8, () => Promise.reject(broken)))
      await assert.rejects(file.read('x'), broken)
      const seen: number[] = []
      await assert.rejects(async () => {
        for await (const { offset } of file.chunks('x', 8)) {
          seen.push(offset)
          await new Promise((resolve) => setTimeout(resolve, 5)) // an unhandled rejection would end the process here
        }
      }, broken)
      assert.deepEqual(seen, [0, 8, 16])
    })

    it('turn a failed allocation into OUT_OF_MEMORY', async () => {
      const file = await openSafetensors(failing(bytes.length - 1, async () => new Uint8Array(2 ** 53)))
      await assert.rejects(file.read('x'), { code: 'OUT_OF_MEMORY', message: 'cannot allocate 32 bytes to read disk' })
    })

    it('an aborted call rejects with the reason and the file stays usable', async () => {
      const reason = new Error('enough')
      const aborted = AbortSignal.abort(reason)
      await assert.rejects(openSafetensors(await openSource(bytes), { signal: aborted }), reason)
      const file = await open(bytes)
      await assert.rejects(file.read('x', aborted), reason)
      await assert.rejects(gather(file.chunks('x', 8, aborted)), reason)
      const controller = new AbortController()
      const seen: number[] = []
      await assert.rejects(async () => {
        for await (const { offset } of file.chunks('x', 4, controller.signal)) {
          seen.push(offset)
          if (offset === 8) controller.abort(reason)
        }
      }, reason)
      assert.ok(seen.length <= 4, `${seen}`) // the piece read ahead may still come
      assert.equal((await file.read('x')).length, 32)
    })
  })

  it('close closes the source; a refused file leaves it to its owner', async () => {
    let closed = 0
    const source = (bytes: Uint8Array): ByteSource => ({
      name: 'counted',
      size: bytes.length,
      read: async (offset, length) => bytes.subarray(offset, offset + length),
      close: async () => {
        closed++
      },
    })
    const file: Safetensors = await openSafetensors(source(encodeSafetensors([])))
    assert.equal(file.tensors.size, 0)
    await file.close()
    assert.equal(closed, 1)
    await assert.rejects(openSafetensors(source(new Uint8Array(3))), { code: 'INVALID_SAFETENSORS' })
    assert.equal(closed, 1)
  })
})
