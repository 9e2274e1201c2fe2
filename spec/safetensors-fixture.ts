import { readFileSync } from 'node:fs'
import type { Dtype, DtypeArray } from '../runtime/dtype.ts'

export interface Fixture {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** U8 is widened to i32. */
  readonly values: DtypeArray
}

interface Entry {
  readonly dtype: string
  readonly shape: number[]
  readonly data_offsets: [number, number]
}

/** All tensors of a small safetensors file by name. For fixtures: nothing is checked, and the loaders are not involved. */
export function readFixture(file: URL): Map<string, Fixture> {
  const bytes = readFileSync(file)
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, headerEnd)) as Record<string, Entry>
  const fixtures = new Map<string, Fixture>()
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const [from, to] = data_offsets.map((offset) => headerEnd + offset) as [number, number]
    fixtures.set(name, { shape, ...typed(dtype, new Uint8Array(bytes.subarray(from, to)).buffer) })
  }
  return fixtures
}

function typed(dtype: string, buffer: ArrayBuffer): Pick<Fixture, 'dtype' | 'values'> {
  switch (dtype) {
    case 'F32':
      return { dtype: 'f32', values: new Float32Array(buffer) }
    case 'F16':
      return { dtype: 'f16', values: new Uint16Array(buffer) }
    case 'BF16':
      return { dtype: 'bf16', values: new Uint16Array(buffer) }
    case 'I32':
      return { dtype: 'i32', values: new Int32Array(buffer) }
    case 'U8':
      return { dtype: 'i32', values: Int32Array.from(new Uint8Array(buffer)) }
  }
  throw new Error(`no reader for ${dtype}`)
}
