import type { BareclipError } from '../../../runtime/errors.ts'
import { printLines } from '../print.ts'
import type { AtomicFile } from './atomic-file.ts'
import { floatTexts } from './float-text.ts'

/** What became of one item. */
export type Row = { readonly index: number } & (
  | { readonly error: BareclipError; readonly vector?: undefined }
  | {
      readonly vector: Float32Array
      readonly usage: { readonly tokens: number; readonly truncated: boolean } & Partial<
        Record<'width' | 'height' | 'tiles', number>
      >
      readonly error?: undefined
    }
)

/** Where rows go. Both methods reject with WRITE_FAILED. */
export interface RowWriter {
  write(rows: readonly Row[]): Promise<void>
  /** After the last row. */
  finish(): Promise<void>
}

export function ndjsonWriter(write: (text: string) => Promise<void>): RowWriter {
  return {
    write: (rows) => printLines(write, rowTexts(rows)),
    finish: async () => {},
  }
}

function* rowTexts(rows: readonly Row[]): Generator<string> {
  for (const row of rows) yield rowText(row)
}

function rowText({ index, error, ...row }: Row): string {
  if (error) return JSON.stringify({ index, error: errorJson(error) })
  const { vector, usage } = row as Extract<Row, { vector: Float32Array }>
  return `{"index":${index},"embedding":[${floatTexts(vector)}],${JSON.stringify(usage).slice(1)}`
}

export function errorJson({ code, message }: BareclipError): { code: string; message: string } {
  return { code, message }
}

/**
 * A file of a header and rows of `dimensions` float32, little-endian; a failed item is a row of NaN. `header` must have the
 * same length for every number of rows: it is written again at the end, when that number is known.
 */
export function matrixWriter(
  file: AtomicFile,
  dimensions: number,
  header: (rows: number, dimensions: number) => Uint8Array,
): RowWriter {
  const dataStart = header(0, dimensions).length
  let written = 0
  return {
    async write(rows) {
      const block = new DataView(new ArrayBuffer(rows.length * dimensions * 4))
      rows.forEach(({ vector }, r) => {
        for (let i = 0; i < dimensions; i++) {
          block.setFloat32((r * dimensions + i) * 4, vector ? vector[i]! : Number.NaN, true)
        }
      })
      await file.write(new Uint8Array(block.buffer), dataStart + written * dimensions * 4)
      written += rows.length
    },
    async finish() {
      await file.write(header(written, dimensions), 0)
    },
  }
}
