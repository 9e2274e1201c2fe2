import { BareclipError, describe } from '../../runtime/errors.ts'
import { formatShape } from '../../runtime/shape.ts'
import { byteLength, isSafetensorsDtype, type SafetensorsDtype } from './dtypes.ts'
import { HeaderSyntaxError, parseHeader, quote, type RawEntry } from './header-text.ts'

export interface TensorEntry {
  readonly name: string
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
  /** In bytes from the start of the file. */
  readonly begin: number
  readonly end: number
}

export interface Header {
  readonly metadata: Readonly<Record<string, string>>
  /** In the order of their bytes in the file. */
  readonly tensors: ReadonlyMap<string, TensorEntry>
}

/** The limit of the reference implementation, in bytes. */
export const maxHeaderBytes = 100_000_000

/** Of the file's first eight bytes: where the data starts, in bytes. `name` and `size` are the file's. */
export function dataStart(prefix: Uint8Array, name: string, size: number): number {
  if (prefix.length < 8) {
    throw invalid(name, `expected 8 bytes with the header's length, found a file of ${size} bytes`)
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true)
  if (length <= BigInt(Math.min(maxHeaderBytes, size - 8))) return 8 + Number(length)
  const [limit, usual] =
    length > maxHeaderBytes
      ? [`at most ${maxHeaderBytes} bytes`, ': this is no safetensors file']
      : [`at most the ${size - 8} bytes that follow`, '']
  throw invalid(name, `expected a header of ${limit}, found one of ${length} bytes${hint(prefix) ?? usual}`)
}

/** What people hand in by mistake. */
function hint(prefix: Uint8Array): string | undefined {
  const text = String.fromCharCode(...prefix.subarray(0, 8))
  if (text === 'version ') return ': this is a Git LFS pointer, fetch the file itself with git lfs pull'
  if (text.startsWith('PK')) return ': this is a zip file, perhaps PyTorch weights; expected model.safetensors'
  if (text.startsWith('GGUF')) return ': this is a GGUF file; expected model.safetensors'
  return text.trimStart().startsWith('<') ? ': this looks like a web page' : undefined
}

/** bytes: the header without its length; dataStart: where the data begins, in bytes; size: of the file, in bytes. */
export function readHeader(bytes: Uint8Array, name: string, dataStart: number, size: number): Header {
  const { entries, metadata } = parse(bytes, name)
  const sorted = entries.map((entry) => checkEntry(entry, name)).sort((a, b) => a.begin - b.begin || a.end - b.end) // an empty tensor before the one at the same place
  const tensors = new Map<string, TensorEntry>()
  let end = 0
  for (const entry of sorted) {
    if (entry.begin !== end) {
      const what = entry.begin < end ? 'it overlaps the tensor before it' : 'bytes before it belong to no tensor'
      throw invalidTensor(name, entry, `data_offsets to begin at ${end}, found ${entry.begin}: ${what}`)
    }
    end = entry.end
    if (end > size - dataStart) {
      const cut = `found ${end}: the file is cut or its header is wrong`
      throw invalidTensor(name, entry, `data_offsets to end within the ${size - dataStart} bytes of data, ${cut}`)
    }
    tensors.set(entry.name, { ...entry, begin: dataStart + entry.begin, end: dataStart + entry.end })
  }
  if (end !== size - dataStart) {
    throw invalid(name, `expected ${end} bytes of data after the header, found ${size - dataStart}`)
  }
  return { metadata, tensors }
}

function parse(bytes: Uint8Array, name: string) {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw invalid(name, 'expected a header in UTF-8, found other bytes', { cause })
  }
  try {
    return parseHeader(text)
  } catch (cause) {
    if (!(cause instanceof HeaderSyntaxError)) throw cause
    throw invalid(name, cause.message, { cause })
  }
}

/** begin and end: from the end of the header, as the file has them */
function checkEntry(raw: RawEntry, file: string): TensorEntry {
  const { name, dtype, shape } = raw
  if (!isSafetensorsDtype(dtype)) throw invalidTensor(file, raw, `a dtype of the format, found ${describe(dtype)}`)
  const [begin = 0, end = 0] = raw.dataOffsets
  const expected = byteLength(dtype, shape)
  const what = `${dtype} ${shape.length > 16 ? `of ${shape.length} dimensions` : formatShape(shape)}`
  if (expected === undefined) {
    throw invalidTensor(file, raw, `a whole number of bytes below 2^53, found ${what}`)
  }
  if (end - begin !== expected) {
    throw invalidTensor(file, raw, `${expected} bytes for ${what}, found data_offsets [${begin}, ${end}]`)
  }
  return { name, dtype, shape, begin, end }
}

function invalidTensor(file: string, { name }: { name: string }, expected: string): BareclipError {
  return invalid(file, `tensor ${quote(name)}: expected ${expected}`)
}

function invalid(file: string, what: string, options?: { cause: unknown }): BareclipError {
  return new BareclipError('INVALID_SAFETENSORS', `${file}: ${what}`, options)
}
