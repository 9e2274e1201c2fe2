import { ZIGZAG } from './jpeg-blocks.ts'
import { colourModelOf, converters } from './jpeg-colour.ts'
import { type JpegFile, maxSampling, parseJpeg } from './jpeg-file.ts'
import { type HuffmanTable, readHuffmanTables } from './jpeg-huffman.ts'
import { type DecodingComponent, decodeScan, finishComponent, pauser } from './jpeg-scan.ts'
import { DHT, DQT, DRI, invalidJpeg, SOS, uint16 } from './jpeg-segments.ts'
import { componentRows } from './jpeg-upsample.ts'
import type { RgbPixels } from './pixels.ts'

/** Reads bytes[start, end) of a DQT segment into tables of 64 steps, in the block's order. */
function readQuantization(bytes: Uint8Array, start: number, end: number, tables: Int32Array[]): void {
  for (let at = start; at < end; ) {
    const wide = bytes[at]! >> 4 ? 2 : 1
    const id = bytes[at]! & 15
    if (at + 1 + 64 * wide > end) throw invalidJpeg('a quantization table is cut short')
    at++
    const steps = new Int32Array(64)
    for (let k = 0; k < 64; k++, at += wide) steps[ZIGZAG[k]!] = wide === 2 ? uint16(bytes, at) : bytes[at]!
    tables[id] = steps
  }
}

/** Decodes all scans. -> the components' samples, each at its own size */
async function decodeComponents(bytes: Uint8Array, file: JpegFile, pause: () => Promise<void>) {
  const { width, height, progressive, segments } = file
  const { maxH, maxV } = maxSampling(file.components)
  const mcusPerRow = Math.ceil(width / (8 * maxH))
  const mcuRows = Math.ceil(height / (8 * maxV))
  const components = file.components.map(({ id, h, v }): DecodingComponent => {
    const blocksPerRow = mcusPerRow * h
    const size = blocksPerRow * mcuRows * v * 64
    return {
      id,
      h,
      v,
      blocksPerRow,
      stride: blocksPerRow * 8,
      columns: Math.ceil((width * h) / maxH),
      rows: Math.ceil((height * v) / maxV),
      data: new Uint8ClampedArray(size),
      coefficients: progressive ? new Int16Array(size) : undefined,
      steps: undefined,
    }
  })

  const tables: HuffmanTable[] = []
  const quantization: Int32Array[] = []
  let restartInterval = 0
  for (const segment of segments) {
    const { marker, start, end } = segment
    if (marker === DHT) readHuffmanTables(bytes, start, end, tables)
    else if (marker === DQT) readQuantization(bytes, start, end, quantization)
    else if (marker === DRI) restartInterval = end - start >= 2 ? uint16(bytes, start) : 0
    else if (marker === SOS) {
      const ids = bytes.subarray(start + 1, end - 3).filter((_, i) => i % 2 === 0)
      for (const [i, component] of components.entries()) {
        if (ids.includes(component.id)) component.steps ??= quantization[file.components[i]!.quantization]
        if (ids.includes(component.id) && !component.steps) throw invalidJpeg('a quantization table is missing')
      }
      await decodeScan({ bytes, mcusPerRow, mcuRows, tables, restartInterval, pause }, segment, components)
    }
  }
  for (const component of components) {
    if (!component.steps) throw invalidJpeg(`it has no data for its component ${component.id}`)
    if (progressive) await finishComponent(component, pause)
  }
  return components
}

/**
 * A baseline, extended or progressive Huffman-coded JPEG of 8 bits a sample as RGB (height, width, 3), bit for bit what
 * libjpeg-turbo with its default settings and Pillow's convert('RGB') make of it. EXIF orientation and colour profiles are
 * ignored. Lets other tasks run every 20 ms. Memory: the result, and a byte a sample (progressive: three).
 * @throws BareclipError INVALID_IMAGE, UNSUPPORTED_IMAGE; `signal.reason` when aborted
 */
export async function decodeJpeg(
  bytes: Uint8Array,
  file: JpegFile = parseJpeg(bytes),
  signal?: AbortSignal,
): Promise<RgbPixels> {
  const { width, height } = file
  const pause = pauser(signal)
  const components = await decodeComponents(bytes, file, pause)

  const { maxH, maxV } = maxSampling(file.components)
  const sources = components.map((component) => componentRows(component, maxH / component.h, maxV / component.v))
  const lines = sources.map(() => new Uint8ClampedArray(width))
  const convert = converters[colourModelOf(file)]
  const rgb = new Uint8ClampedArray(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < sources.length; i++) sources[i]!(y, lines[i]!)
    convert(lines, rgb, y * width * 3)
    if (y % 16 === 15) await pause()
  }
  return { data: new Uint8Array(rgb.buffer), width, height }
}
