import assert from 'node:assert/strict'
import { readAll, readExactly } from '../../loaders/source.ts'
import type { ByteSource } from '../../platform/platform.ts'

export const data = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) & 255)
export const large = Uint8Array.from({ length: 700_000 }, (_, i) => (i * 31) >>> 3)

export async function slice(source: ByteSource, offset: number, length: number): Promise<number[]> {
  return [...(await source.read(offset, length))]
}

/** What every source must do, whatever is behind it. */
export async function behaves(source: ByteSource): Promise<void> {
  assert.equal(source.size, data.length)
  assert.deepEqual(await slice(source, 0, 5), [...data.subarray(0, 5)])
  assert.deepEqual(await slice(source, 990, 10), [...data.subarray(990)])
  assert.deepEqual(await slice(source, 990, 100), [...data.subarray(990)], 'fewer where it ends')
  assert.deepEqual(await slice(source, 1000, 1), [])
  assert.deepEqual(await slice(source, 5000, 10), [])
  assert.deepEqual(await slice(source, 3, 0), [])
  const both = await Promise.all([source.read(100, 200), source.read(7, 100)])
  assert.deepEqual(
    both.map((bytes) => [...bytes]),
    [[...data.subarray(100, 300)], [...data.subarray(7, 107)]],
  )
  assert.deepEqual([...(await readAll(source))], [...data])
  await assert.rejects(readAll(source, { maxBytes: 999 }), {
    code: 'READ_FAILED',
    message: `${source.name}: expected at most 999 bytes, found 1000`,
  })
  await assert.rejects(readExactly(source, 995, 6), {
    code: 'READ_FAILED',
    message: `${source.name}: expected 6 bytes at 995, got 5: was the file cut while it was open?`,
  })
  const reason = new Error('enough')
  await assert.rejects(source.read(0, 5, AbortSignal.abort(reason)), reason)
  await assert.rejects(readAll(source, { signal: AbortSignal.abort(reason) }), reason)
}
