import { BareclipError } from '../../../runtime/errors.ts'

const newline = 0x0a
const carriageReturn = 0x0d

/**
 * Splits UTF-8 bytes into lines at \n and nowhere else (U+2028 and a lone \r may stand in JSON). \r\n, a BOM and a last
 * line without \n are taken; invalid bytes become U+FFFD. A line of more than `maxBytes` comes as INVALID_INPUT and is not
 * held in memory.
 */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes = 32 * 2 ** 20,
): AsyncGenerator<string | BareclipError> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let pieces: Uint8Array[] = []
  let length = 0
  let first = true

  const add = (piece: Uint8Array) => {
    length += piece.length
    if (length <= maxBytes) pieces.push(piece)
    else pieces = []
  }
  const take = (): string | BareclipError => {
    const tooLong = length > maxBytes
    const text = tooLong ? '' : decoder.decode(withoutReturn(joined(pieces, length)))
    const bytes = length
    pieces = []
    length = 0
    const atStart = first
    first = false
    if (tooLong) {
      return new BareclipError('INVALID_INPUT', `the line has ${bytes} bytes; a line may have ${maxBytes}`)
    }
    return atStart && text.startsWith('\ufeff') ? text.slice(1) : text
  }

  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      add(chunk.subarray(from, at))
      yield take()
      from = at + 1
    }
    if (from < chunk.length) add(chunk.subarray(from))
  }
  if (length > 0) yield take()
}

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0]!
  const line = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    line.set(piece, at)
    at += piece.length
  }
  return line
}

function withoutReturn(line: Uint8Array): Uint8Array {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line
}
