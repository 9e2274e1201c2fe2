import { runtimeDtype } from '../loaders/safetensors/dtypes.ts'
import type { Safetensors } from '../loaders/safetensors/safetensors.ts'
import type { Fill } from '../models/weights.ts'
import { bytesPerElement, viewOf } from '../runtime/dtype.ts'
import { BareclipError } from '../runtime/errors.ts'

/** Largest piece of a tensor that is read at once; the next one is read ahead. */
const chunkBytes = 8 * 2 ** 20

/**
 * Reads the tensors that the model needs, in the order of the file but for those that others need, piece by piece, each
 * straight into its place.
 */
export async function streamWeights(
  file: Safetensors,
  fills: readonly Fill[],
  signal: AbortSignal | undefined,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const jobs = fills
    .map((fill) => {
      const entry = file.tensors.get(fill.name)!
      const dtype = runtimeDtype(entry.dtype)
      if (!dtype || !fill.accepts.includes(dtype)) throw unsupported(file.name, fill, entry.dtype)
      return { fill, entry, dtype }
    })
    .sort((a, b) => Number(b.fill.first) - Number(a.fill.first) || a.entry.begin - b.entry.begin)
  const total = jobs.reduce((sum, { entry }) => sum + entry.end - entry.begin, 0)
  let done = 0
  for (const { fill, dtype } of jobs) {
    const size = bytesPerElement[dtype]
    const rowBytes = fill.rowSize * size
    const wholeRows = Math.max(1, Math.floor(chunkBytes / rowBytes)) * rowBytes
    for await (const { offset, bytes } of file.chunks(fill.name, wholeRows, signal)) {
      await fill.write(dtype, viewOf(dtype, bytes), offset / size)
      done += bytes.byteLength
      onProgress(done, total)
    }
  }
  onProgress(total, total)
}

function unsupported(file: string, { name, accepts }: Fill, found: string): BareclipError {
  const expected = accepts.length > 1 ? 'supported are F32, F16 and BF16' : `expected ${accepts[0]?.toUpperCase()}`
  const codes = found === 'I8' || found === 'I16' ? '; codes are read from files of bareclip quantize only' : ''
  return new BareclipError('UNSUPPORTED_MODEL', `${file}: tensor ${name} is ${found}; ${expected}${codes}`)
}
