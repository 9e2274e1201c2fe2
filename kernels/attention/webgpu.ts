import { invariant } from '../../runtime/errors.ts'
import type { Dispatch, PipelineSpec, WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import type { AttentionParameters } from './attention.ts'
import { shader as flash } from './flash.wgsl.generated.ts'
import { shader as qkvScalar } from './qkv-scalar.wgsl.generated.ts'
import { shader as qkvVector } from './qkv-vector.wgsl.generated.ts'

/** Of a workgroup, as in flash.wgsl. */
const queries = 64

/** Most sequences in one dispatch: WebGPU's limit of workgroups along one side. */
const mostSequences = 65535

export const attentionWebgpu: WebgpuKernel<AttentionParameters> = (parameters, access) => {
  const { qkv, batch, heads, scale, slopes, y } = parameters
  const hidden = y.shape[1] ?? 0
  if (batch.host.tokens === 0 || hidden === 0) return []
  const headDim = hidden / heads
  const vectors = Math.ceil(headDim / 4)
  // keys and values, 16 bytes a vector, and a position for each key
  const fits = Math.floor(access.limits.maxComputeWorkgroupStorageSize / (32 * vectors + 4))
  invariant(fits >= 1, `attention: heads of ${headDim} are too wide`)
  const pipeline = {
    files: [headDim % 4 === 0 ? qkvVector : qkvScalar, flash],
    constants: { VECTORS: vectors, KEYS: Math.min(16, fits) },
  } satisfies PipelineSpec
  const base = { hidden, headDim, scale, alibi: slopes ? 1 : 0 }
  return cuts(batch.host.offsets, 4 * hidden, access.dispatchFlops).map(
    ({ firstSequence, sequences, firstQuery, tiles, flops }): Dispatch => ({
      pipeline,
      bindings: { qkv, offsets: batch.offsets, positions: batch.positions, slopes, y },
      uniforms: { ...base, firstSequence, firstQuery },
      workgroups: [tiles, sequences, heads],
      flops,
      why: `blocks of ${pipeline.constants.KEYS} keys, what workgroup memory holds and 16 at most`,
    }),
  )
}

interface Cut {
  readonly firstSequence: number
  readonly sequences: number
  readonly firstQuery: number
  /** Of 64 queries, of the longest sequence. */
  readonly tiles: number
  readonly flops: number
}

/**
 * Neighbouring sequences of one batch go together, long ones in pieces, each of at most `budget` flops. Tiles past the end of a
 * shorter sequence return at once, so a piece has at most as many of them as it has others.
 */
function cuts(offsets: Int32Array, pairFlops: number, budget: number): Cut[] {
  const found: Cut[] = []
  const sequences = offsets.length - 1
  const lengthOf = (s: number) => offsets[s + 1]! - offsets[s]!
  for (let s = 0; s < sequences; ) {
    const firstSequence = s
    let tiles = Math.ceil(lengthOf(s) / queries)
    let used = tiles
    let flops = pairFlops * lengthOf(s++) ** 2
    for (; s < sequences && s - firstSequence < mostSequences; s++) {
      const next = Math.ceil(lengthOf(s) / queries)
      const longest = Math.max(tiles, next)
      const more = pairFlops * lengthOf(s) ** 2
      if (flops + more > budget || longest * (s + 1 - firstSequence) > 2 * (used + next)) break
      tiles = longest
      used += next
      flops += more
    }
    if (tiles === 0) continue
    const step = Math.max(1, Math.floor((tiles * budget) / Math.max(1, flops)))
    for (let tile = 0; tile < tiles; tile += step) {
      const part = Math.min(step, tiles - tile)
      const cut = { firstSequence, sequences: s - firstSequence, firstQuery: tile * queries }
      found.push({ ...cut, tiles: part, flops: (flops * part) / tiles })
    }
  }
  return found
}
