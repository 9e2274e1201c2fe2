import type { RaggedBatch } from '../../runtime/batch.ts'
import { BareclipError } from '../../runtime/errors.ts'
import { floatBits, type WasmKernel } from '../../runtime/wasm/kernel.ts'
import { panelCount, panelRows } from '../../runtime/wasm/panels.ts'
import type { AttentionParameters } from './attention.ts'

/** As in rows.as.ts. */
const keyBlock = 64
const rowBlock = 24
/** What a unit's queries and their sums may be for three quarters of a thread's scratch memory. */
const widest = 4096
/** What the rest of it holds statistics for. */
const longest = 1_500_000

/** With slopes, keys whose share is under float32 resolution of the result are left out. */
export const attentionWasm = attentionKernel(true)

/** Every key is looked at: to measure what leaving out is worth. */
export const attentionWholeWasm = attentionKernel(false)

function attentionKernel(mayLeave: boolean): WasmKernel<AttentionParameters> {
  return ({ qkv, batch, heads, scale, slopes, y }, access) => {
    const [tokens = 0, hidden = 0] = y.shape
    const headDim = hidden / heads
    const panels = panelCount(headDim)
    const { table, keyPanels, keyBlocks, rowBlocks } = tableOf(batch.host)
    if (headDim > widest) {
      const most = `expected heads of at most ${widest} columns, found ${headDim}`
      throw new BareclipError('INVALID_ARGUMENT', `attention: ${most}: use more heads`)
    }
    const leaves = mayLeave && slopes && batch.host.longest <= longest
    const parameters = [
      access.address(qkv),
      access.address(batch.offsets),
      access.address(batch.positions),
      slopes ? access.address(slopes) : 0,
      access.address(y),
      access.temporary(4 * keyPanels * panelRows * hidden),
      access.temporary(4 * tokens * panels * panelRows * heads),
      leaves ? access.temporary(8 * keyBlocks * heads) : 0,
      batch.host.sequences,
      heads,
      headDim,
      floatBits(scale),
      ...table,
    ]
    return [
      { entry: 'attentionPack', units: keyBlocks * heads, parameters },
      { entry: 'attention', units: rowBlocks * heads, parameters },
    ]
  }
}

/**
 * Per sequence, and once past the last: how many panels of 8 keys, blocks of 64 keys and blocks of 24 queries the sequences
 * before it have.
 */
function tableOf({ offsets, sequences }: RaggedBatch) {
  const table: number[] = [0, 0, 0]
  let keyPanels = 0
  let keyBlocks = 0
  let rowBlocks = 0
  for (let s = 0; s < sequences; s++) {
    const length = offsets[s + 1]! - offsets[s]!
    keyPanels += panelCount(length)
    keyBlocks += Math.ceil(length / keyBlock)
    rowBlocks += Math.ceil(length / rowBlock)
    table.push(keyPanels, keyBlocks, rowBlocks)
  }
  return { table, keyPanels, keyBlocks, rowBlocks }
}
