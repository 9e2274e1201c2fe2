import { macrotask } from '../../runtime/macrotask.ts'
import {
  type Band,
  type BlockDecoder,
  readAcFirst,
  readAcRefinement,
  readDcFirst,
  readDcRefinement,
  readSequential,
} from './jpeg-blocks.ts'
import { type BitReader, bitReader, type HuffmanTable, isOverrun, restart } from './jpeg-huffman.ts'
import { inverseDct, inverseDctFlat } from './jpeg-idct.ts'
import { invalidJpeg, type JpegSegment } from './jpeg-segments.ts'
import type { Plane } from './jpeg-upsample.ts'

/** A colour component while its scans are decoded. */
export interface DecodingComponent extends Plane {
  readonly id: number
  readonly h: number
  readonly v: number
  /** Blocks in a row, padded to whole MCUs: stride / 8. */
  readonly blocksPerRow: number
  /** Progressive: 64 a block, row by row. */
  readonly coefficients: Int16Array | undefined
  /** Quantization steps in force at the component's first scan, in the block's order. */
  steps: Int32Array | undefined
}

export interface ScanContext {
  readonly bytes: Uint8Array
  readonly mcusPerRow: number
  readonly mcuRows: number
  readonly tables: readonly HuffmanTable[]
  readonly restartInterval: number
  readonly pause: () => Promise<void>
}

/** Stops for a macrotask, and for an abort, after each 20 ms of work. */
export function pauser(signal: AbortSignal | undefined): () => Promise<void> {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < 20) return
    await macrotask()
    signal?.throwIfAborted()
    since = performance.now()
  }
}

/** A table without codes, for scans that need none or lack theirs: reading from it fails. */
function emptyTable(): HuffmanTable {
  const zeros = new Int32Array(17)
  return { fast: new Uint16Array(512), last: zeros.map(() => -1), first: zeros, symbols: new Uint8Array(0) }
}

/** Decodes the next block of a component: row and column count blocks. */
type ReadBlock = (component: DecodingComponent, decoder: BlockDecoder, row: number, column: number) => void

/** Sequential blocks are complete at once: straight to samples. */
function sequentialReader(r: BitReader): ReadBlock {
  const block = new Int32Array(64)
  return ({ steps, data, stride }, decoder, row, column) => {
    const to = (row * stride + column) * 8
    block.fill(0)
    if (readSequential(r, decoder, steps!, block)) inverseDct(block, data, to, stride)
    else inverseDctFlat(block[0]!, data, to, stride)
  }
}

function progressiveReader(r: BitReader, band: Band, refines: boolean): ReadBlock {
  const readDc = refines ? readDcRefinement : readDcFirst
  const readAc = refines ? readAcRefinement : readAcFirst
  const read = band.first === 0 ? readDc : readAc
  return ({ coefficients, blocksPerRow }, decoder, row, column) =>
    read(r, decoder, band, coefficients!, (row * blocksPerRow + column) * 64)
}

/** Decodes one scan into its components' samples or, in a progressive file, coefficients. */
export async function decodeScan(
  context: ScanContext,
  { start, end, dataEnd }: JpegSegment,
  all: readonly DecodingComponent[],
): Promise<void> {
  const { bytes, tables, restartInterval, pause } = context
  const parts: { component: DecodingComponent; decoder: BlockDecoder }[] = []
  for (let i = 0, at = start + 1; i < bytes[start]!; i++, at += 2) {
    const selector = bytes[at + 1]!
    const dc = tables[selector >> 4] ?? emptyTable()
    const ac = tables[16 | (selector & 15)] ?? emptyTable()
    parts.push({ component: all.find((c) => c.id === bytes[at])!, decoder: { dc, ac, prediction: 0 } })
  }
  const [first, last, approximation] = bytes.subarray(end - 3, end) as unknown as [number, number, number]
  const band: Band = { first, last, low: approximation & 15, endOfBandRun: 0 }
  const reader = bitReader(bytes, end, dataEnd)
  const [{ component: only }] = parts as [(typeof parts)[0]]
  const readBlock = only.coefficients ? progressiveReader(reader, band, approximation > 15) : sequentialReader(reader)

  // A scan of one component has no MCUs of several blocks and no padding to whole MCUs (T.81, A.2.2).
  const single = parts.length === 1
  const columns = single ? Math.ceil(only.columns / 8) : context.mcusPerRow
  const rows = single ? Math.ceil(only.rows / 8) : context.mcuRows
  let mcu = 0
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, mcu++) {
      if (restartInterval > 0 && mcu > 0 && mcu % restartInterval === 0) {
        restart(reader, (mcu / restartInterval - 1) & 7)
        for (const { decoder } of parts) decoder.prediction = 0
        band.endOfBandRun = 0
      }
      for (const { component, decoder } of parts) {
        const h = single ? 1 : component.h
        const v = single ? 1 : component.v
        for (let y = 0; y < v; y++) {
          for (let x = 0; x < h; x++) readBlock(component, decoder, row * v + y, column * h + x)
        }
      }
    }
    if (isOverrun(reader)) throw invalidJpeg('its image data ends too early')
    await pause()
  }
}

/** Turns a progressive component's coefficients into samples. */
export async function finishComponent(component: DecodingComponent, pause: () => Promise<void>): Promise<void> {
  const { coefficients, steps, data, stride, blocksPerRow } = component
  const block = new Int32Array(64)
  for (let row = 0; row < Math.ceil(component.rows / 8); row++) {
    for (let column = 0; column < blocksPerRow; column++) {
      const from = (row * blocksPerRow + column) * 64
      const to = (row * stride + column) * 8
      let rest = 0
      for (let i = 0; i < 64; i++) {
        const value = Math.imul(coefficients![from + i]!, steps![i]!)
        block[i] = value
        if (i > 0) rest |= value
      }
      if (rest !== 0) inverseDct(block, data, to, stride)
      else inverseDctFlat(block[0]!, data, to, stride)
    }
    await pause()
  }
}
