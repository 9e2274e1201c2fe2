import { BareclipError, describe } from '../../runtime/errors.ts'
import { formatShape } from '../../runtime/shape.ts'
import { byteLength, isSafetensorsDtype, type SafetensorsDtype } from './dtypes.ts'
import { maxHeaderBytes } from './header.ts'
import { quote } from './header-text.ts'

export interface TensorLayout {
  readonly name: string
  readonly dtype: SafetensorsDtype
  readonly shape: readonly number[]
}

/** A tensor to write: `bytes` is called once, when its turn comes. Little-endian, row-major. */
export interface TensorData extends TensorLayout {
  readonly bytes: () => Uint8Array | Promise<Uint8Array> | Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

export interface TensorInMemory extends TensorLayout {
  readonly bytes: () => Uint8Array
}

/** Largest piece handed to `write`, so that a writer that copies holds no more than this besides the tensor. */
const pieceBytes = 4 * 2 ** 20

/**
 * Writes a safetensors file piece by piece, tensors in the order given. The header is compact JSON, `__metadata__` first,
 * padded with spaces to a multiple of 8 bytes; each tensor begins where the one before ends. `write` is awaited before the
 * next piece is made; it must not keep a piece after that.
 *
 * Rejects with INVALID_ARGUMENT where names, dtypes, shapes and bytes do not fit together, and with what `write` throws.
 */
export async function writeSafetensors(
  tensors: Iterable<TensorData>,
  write: (piece: Uint8Array) => Promise<void> | void,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const list = [...tensors]
  const { header, lengths } = layOut(list, metadata)
  await write(header)
  for (const [i, tensor] of list.entries()) {
    const expected = lengths[i]!
    let written = 0
    const made = await tensor.bytes()
    for await (const bytes of made instanceof Uint8Array ? [made] : made) {
      written += bytes.length
      if (written > expected) throw wrongLength(tensor, expected, `${written} or more`)
      for (let at = 0; at < bytes.length; at += pieceBytes) await write(bytes.subarray(at, at + pieceBytes))
    }
    if (written !== expected) throw wrongLength(tensor, expected, `${written}`)
  }
}

/** The whole file in memory, for small ones. Throws as writeSafetensors. */
export function encodeSafetensors(
  tensors: Iterable<TensorInMemory>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const list = [...tensors]
  const { header, lengths } = layOut(list, metadata)
  const file = new Uint8Array(safetensorsLength(list, metadata))
  file.set(header)
  let at = header.length
  for (const [i, tensor] of list.entries()) {
    const bytes = tensor.bytes()
    if (bytes.length !== lengths[i]) throw wrongLength(tensor, lengths[i]!, `${bytes.length}`)
    file.set(bytes, at)
    at += bytes.length
  }
  return file
}

/** Of the file that would be written, in bytes. Throws as writeSafetensors. */
export function safetensorsLength(
  tensors: Iterable<TensorLayout>,
  metadata?: Readonly<Record<string, string>>,
): number {
  const { header, lengths } = layOut([...tensors], metadata)
  return lengths.reduce((sum, length) => sum + length, header.length)
}

/** header: the file up to the data; lengths: of the tensors' data, in bytes */
function layOut(tensors: readonly TensorLayout[], metadata: Readonly<Record<string, string>> | undefined) {
  const members: string[] = []
  if (metadata !== undefined) {
    const pairs = Object.entries(metadata)
    for (const [key, value] of pairs) {
      checkText(key, 'a metadata key')
      checkText(value, `metadata ${quote(key)}`)
    }
    members.push(`"__metadata__":{${pairs.map((pair) => pair.map((text) => JSON.stringify(text)).join(':')).join()}}`)
  }
  const names = new Set(['__metadata__'])
  const lengths: number[] = []
  let begin = 0
  for (const { name, dtype, shape } of tensors) {
    checkText(name, 'a tensor’s name')
    if (names.has(name)) {
      throw invalid(`expected each tensor’s name once and none called __metadata__, got ${quote(name)} again`)
    }
    names.add(name)
    if (!isSafetensorsDtype(dtype)) {
      throw invalid(`tensor ${quote(name)}: expected a dtype of the format, got ${describe(dtype)}`)
    }
    const length = shape.every((size) => Number.isSafeInteger(size) && size >= 0) ? byteLength(dtype, shape) : undefined
    const end = begin + (length ?? Number.NaN)
    if (length === undefined || !Number.isSafeInteger(end)) {
      throw invalid(
        `tensor ${quote(name)}: expected a shape of a whole number of bytes below 2^53, got ${dtype} ${formatShape(shape)}`,
      )
    }
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join()}],"data_offsets":[${begin},${end}]}`,
    )
    lengths.push(length)
    begin = end
  }
  const json = new TextEncoder().encode(`{${members.join()}}`)
  if (json.length > maxHeaderBytes) {
    throw invalid(
      `expected a header of at most ${maxHeaderBytes} bytes, got ${json.length}: too many tensors or metadata`,
    )
  }
  const header = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true)
  header.set(json, 8)
  return { header, lengths }
}

/** Lone surrogates have no UTF-8. */
function checkText(text: unknown, what: string): void {
  if (typeof text !== 'string' || /\p{Surrogate}/u.test(text)) {
    throw invalid(`expected ${what} to be well-formed text, got ${describe(text)}`)
  }
}

function wrongLength({ name, dtype, shape }: TensorLayout, expected: number, found: string): BareclipError {
  return invalid(`tensor ${quote(name)}: expected ${expected} bytes for ${dtype} ${formatShape(shape)}, got ${found}`)
}

function invalid(message: string): BareclipError {
  return new BareclipError('INVALID_ARGUMENT', message)
}
