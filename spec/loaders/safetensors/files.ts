import { readFileSync } from 'node:fs'
import { openSafetensors, type Safetensors } from '../../../loaders/safetensors/safetensors.ts'
import { openSource } from '../../../loaders/source.ts'

/** A file from its parts: the header's length is its own unless given. */
export function file(header: string | Uint8Array, dataBytes = 0, headerLength?: bigint): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const bytes = new Uint8Array(8 + json.length + dataBytes)
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(json.length), true)
  bytes.set(json, 8)
  for (let i = 0; i < dataBytes; i++) bytes[8 + json.length + i] = i
  return bytes
}

export async function open(bytes: Uint8Array): Promise<Safetensors> {
  return openSafetensors(await openSource(bytes))
}

export const golden = (path: string): URL => new URL(`../../fixtures/golden/${path}`, import.meta.url)

export const goldenBytes = (path: string): Uint8Array => readFileSync(golden(path))
