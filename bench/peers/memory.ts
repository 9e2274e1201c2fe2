import { freemem } from 'node:os'
import type { BenchCase } from '../cases.ts'

/**
 * Bytes that onnxruntime holds for a case, from what it was seen to hold. The graphs make attention scores and bias of
 * (texts, 12, N, N) float32; at 8192 tokens, 3.2 GB each, the native one took 21.8 GB.
 */
export function peerBytes(kind: 'web' | 'node', { lengths, images }: BenchCase): number {
  const longest = Math.max(0, ...lengths)
  const scores = lengths.length * 12 * longest * longest * 4
  const activations = (lengths.length * longest + images * 197) * 6144 * 4 * 3
  return (kind === 'web' ? 2.2e9 : 0.7e9) + 6.6 * scores + activations
}

const webAssemblyLimit = 2 ** 32

/** Why the case should not be tried, or undefined. free: bytes */
export function tooLarge(kind: 'web' | 'node', item: BenchCase, free: number = freemem()): string | undefined {
  const needed = peerBytes(kind, item)
  const about = `skipped: it needs about ${(needed / 1e9).toFixed(0)} GB`
  if (kind === 'web' && needed > 2 * webAssemblyLimit) return `${about}, WebAssembly has 4.3 at most (--force tries it)`
  if (needed > 0.8 * free) return `${about}, ${(free / 1e9).toFixed(0)} GB are free (--force tries it)`
  return undefined
}
