import { BareclipError } from '../../runtime/errors.ts'
import type { Dispatch, PipelineSpec, Shader, WebgpuAccess, WebgpuKernel } from '../../runtime/webgpu/kernel.ts'
import type { AttentionParameters } from './attention.ts'
import { shader as exchangeMemory } from './exchange-memory.wgsl.generated.ts'
import { shader as exchangeSubgroups } from './exchange-subgroups.wgsl.generated.ts'
import { shader as norms } from './norms.wgsl.generated.ts'
import { shader as outward } from './outward.wgsl.generated.ts'
import { shader as qkvScalar } from './qkv-scalar.wgsl.generated.ts'
import { shader as qkvVector } from './qkv-vector.wgsl.generated.ts'
import { shader as quads } from './quads.wgsl.generated.ts'

/** Of a workgroup, as in all rungs. */
const queries = 64

/** Most sequences in one dispatch: WebGPU's limit of workgroups along one side. */
const mostSequences = 65535

/** Keys and values in workgroup memory: more take room from other workgroups, fewer make more barriers. */
const mostKeys = 16

/** Sequences of so many workgroups' queries have every key looked at, as in the shaders: they have no use for norms. */
const unsearched = 2

/** Heads of up to 64 leave room in the registers for four queries. */
const widestQuad = 16

export interface AttentionVariant extends Pick<PipelineSpec, 'enable'> {
  /** The last one has the entry point. */
  readonly files: readonly Shader[]
  /** Vectors of a key or value in workgroup memory. */
  readonly pitch: number
  /** Bytes of workgroup memory beside keys, values and places. */
  readonly others: number
  readonly bounded: boolean
  readonly why: string
}

/** vectors: ⌈headDim / 4⌉ */
export function flashVariant(file: Shader, vectors: number): AttentionVariant {
  return { files: [file], pitch: vectors, others: 64, bounded: file === outward, why: 'a thread for each query' }
}

/** Quads exchange what they share within a subgroup, or through workgroup memory: the same sums. */
export function quadVariant(vectors: number, inSubgroups: boolean): AttentionVariant {
  const shared = { pitch: 4 * Math.ceil(vectors / 4), bounded: true }
  if (!inSubgroups) {
    const why = 'four threads for four queries, exchanging through workgroup memory'
    return { ...shared, files: [exchangeMemory, quads], others: 64 + 16 * 5 * queries, why }
  }
  const why = 'four threads for four queries, exchanging within a subgroup'
  return { ...shared, files: [exchangeSubgroups, quads], others: 64, enable: ['subgroups'], why }
}

export const attentionWebgpu = attentionAs((vectors, { extensions }) =>
  vectors <= widestQuad ? quadVariant(vectors, extensions.has('subgroups')) : flashVariant(outward, vectors),
)

/** With the variant that is chosen by the width of a head: those of the ladder are in ladder.ts. */
export function attentionAs(
  variantOf: (vectors: number, access: Pick<WebgpuAccess, 'extensions'>) => AttentionVariant,
): WebgpuKernel<AttentionParameters> {
  return (parameters, access) => {
    const { qkv, batch, heads, scale, slopes, y } = parameters
    const hidden = y.shape[1] ?? 0
    if (batch.host.tokens === 0 || hidden === 0) return []
    const headDim = hidden / heads
    const vectors = Math.ceil(headDim / 4)
    // keys and values, 16 bytes a vector, and a position for each key; a few words for other things
    const { files, enable, pitch, others, bounded: bounds, why } = variantOf(vectors, access)
    const fits = Math.floor((access.limits.maxComputeWorkgroupStorageSize - others) / (32 * pitch + 4))
    if (fits < 1) {
      throw new BareclipError(
        'DEVICE_UNAVAILABLE',
        `attention: heads of ${headDim} do not fit into the workgroup memory of this graphics device, ${access.limits.maxComputeWorkgroupStorageSize} bytes: use device wasm`,
      )
    }
    const rows = headDim % 4 === 0 ? qkvVector : qkvScalar
    const pipeline: PipelineSpec = {
      files: [rows, ...files],
      constants: { VECTORS: vectors, KEYS: Math.min(mostKeys, fits) },
      ...(enable && { enable }),
    }
    const normsPipeline: PipelineSpec = { files: [rows, norms], constants: { VECTORS: vectors } }
    const { offsets, positions } = batch
    const bounded = bounds && slopes !== undefined && batch.host.longest > unsearched * queries
    const all = cuts(batch.host.offsets, 4 * hidden, access.dispatchFlops)
    const most = Math.min(batch.host.sequences, mostSequences)
    const found = bounded ? access.temporary('attention norms', [most * heads, 2]) : undefined
    return all.flatMap(({ firstSequence, sequences, firstQuery, tiles, longest, tokens, flops }, i): Dispatch[] => {
      const part: Dispatch = {
        pipeline,
        bindings: { qkv, offsets, positions, slopes, y, ...(bounds ? { norms: found } : {}) },
        uniforms: { hidden, headDim, scale, alibi: slopes ? 1 : 0, firstSequence, firstQuery },
        workgroups: [tiles, sequences, heads],
        flops,
        why: `${why}; blocks of ${pipeline.constants?.KEYS} keys, ${mostKeys} at most`,
      }
      if (!found || longest <= unsearched * queries || all[i - 1]?.firstSequence === firstSequence) return [part]
      const before: Dispatch = {
        pipeline: normsPipeline,
        bindings: { qkv, offsets, norms: found },
        uniforms: { hidden, headDim, firstSequence },
        workgroups: [heads, sequences, 1],
        flops: 4 * tokens * hidden,
      }
      return [before, part]
    })
  }
}

interface Cut {
  readonly firstSequence: number
  readonly sequences: number
  readonly firstQuery: number
  /** Of 64 queries, of the longest sequence. */
  readonly tiles: number
  /** Tokens of the longest sequence. */
  readonly longest: number
  /** Of all the sequences. */
  readonly tokens: number
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
    const tokens = offsets[s]! - offsets[firstSequence]!
    let longest = 0
    for (let one = firstSequence; one < s; one++) longest = Math.max(longest, lengthOf(one))
    const step = Math.max(1, Math.floor((tiles * budget) / Math.max(1, flops)))
    for (let tile = 0; tile < tiles; tile += step) {
      const part = Math.min(step, tiles - tile)
      const cut = { firstSequence, sequences: s - firstSequence, firstQuery: tile * queries, longest, tokens }
      found.push({ ...cut, tiles: part, flops: (flops * part) / tiles })
    }
  }
  return found
}
