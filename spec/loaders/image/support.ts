import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ErrorCode } from '../../../runtime/errors.ts'

const folder = new URL('../../fixtures/images/', import.meta.url)

export interface ImageFixture {
  readonly file: string
  readonly width: number
  readonly height: number
  readonly decoded_rgb_sha256: string
  readonly crop_u8_sha256: string
  readonly f32_sha256: string
}

export function imageFixtures(): ImageFixture[] {
  return JSON.parse(readFileSync(new URL('index.json', folder), 'utf8')).images
}

export const readFixture = (file: string): Uint8Array => new Uint8Array(readFileSync(new URL(file, folder)))

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export const bytesOf = (floats: Float32Array): Uint8Array =>
  new Uint8Array(floats.buffer, floats.byteOffset, floats.byteLength)

/** The bytes of each tensor of images/expected.safetensors, by name. */
export function expectedTensors(): Map<string, Uint8Array> {
  const bytes = readFixture('expected.safetensors')
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true))
  const header: Record<string, { data_offsets: [number, number] }> = JSON.parse(
    new TextDecoder().decode(bytes.subarray(8, 8 + length)),
  )
  const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__')
  return new Map(
    tensors.map(
      ([
        name,
        {
          data_offsets: [start, end],
        },
      ]) => [name, bytes.subarray(8 + length + start, 8 + length + end)],
    ),
  )
}

/** Largest and mean absolute difference. */
export function difference(a: Uint8Array, b: Uint8Array): { max: number; mean: number } {
  assert.equal(a.length, b.length)
  let max = 0
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!)
    if (d > max) max = d
    sum += d
  }
  return { max, mean: sum / a.length }
}

/** Asserts that a call fails with this code and a message like this. */
export async function rejects(call: () => unknown, code: ErrorCode, message: RegExp = /./): Promise<void> {
  await assert.rejects(
    async () => call(),
    (error: { name?: string; code?: string; message?: string }) => {
      assert.equal(error.name, 'BareclipError', String(error))
      assert.equal(error.code, code, error.message)
      assert.match(error.message ?? '', message)
      return true
    },
  )
}

/** Reproducible numbers: a function that gives an integer in [0, n). */
export function randomIntegers(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return Math.floor(((state >>> 8) / 2 ** 24) * n)
  }
}

export const base64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

export function concat(...parts: readonly (Uint8Array | readonly number[] | string)[]): Uint8Array {
  const arrays = parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Uint8Array.from(part)))
  return new Uint8Array(Buffer.concat(arrays))
}
