import type { Cli } from '../cli.ts'
import { type AtomicFile, createAtomicFile } from './atomic-file.ts'
import { npyHeader } from './npy.ts'
import { matrixWriter, ndjsonWriter, type RowWriter } from './rows.ts'
import { embeddingsHeader } from './safetensors-header.ts'

/** By the extension of the output's name. */
export const outputFormats = ['.ndjson', '.jsonl', '.npy', '.safetensors'] as const

export type OutputFormat = (typeof outputFormats)[number]

export interface OutputFile {
  readonly path: string
  readonly format: OutputFormat
}

export interface RowOutput {
  /** Only stdout and NDJSON files can say why an item failed. */
  readonly tellsErrors: boolean
  /** `dimensions`: of a row. */
  writer(dimensions: number): RowWriter
  /** Gives a file its name. */
  commit(): Promise<void>
  /** Leaves nothing behind of a file that was not committed. */
  discard(): Promise<void>
}

/** Throws WRITE_FAILED at once where the file cannot be written. Without a file: stdout. */
export async function openRowOutput({ print }: Cli, output: OutputFile | undefined): Promise<RowOutput> {
  if (!output) {
    return { tellsErrors: true, writer: () => ndjsonWriter(print), commit: async () => {}, discard: async () => {} }
  }
  const file = await createAtomicFile(output.path)
  const text = output.format === '.ndjson' || output.format === '.jsonl'
  const header = output.format === '.npy' ? npyHeader : embeddingsHeader
  return {
    tellsErrors: text,
    writer: (dimensions) => (text ? ndjsonWriter(appender(file)) : matrixWriter(file, dimensions, header)),
    commit: file.commit,
    discard: file.discard,
  }
}

function appender(file: AtomicFile): (text: string) => Promise<void> {
  let end = 0
  return async (text) => {
    const bytes = new TextEncoder().encode(text)
    await file.write(bytes, end)
    end += bytes.length
  }
}
