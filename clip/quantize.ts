import { runtimeDtype } from '../loaders/safetensors/dtypes.ts'
import { openSafetensors, type Safetensors, type TensorEntry } from '../loaders/safetensors/safetensors.ts'
import { safetensorsLength, type TensorData, writeSafetensors } from '../loaders/safetensors/write.ts'
import { createTokenizer } from '../loaders/tokenizer/tokenizer.ts'
import { planModel } from '../models/jina-clip.ts'
import { requireHalf } from '../models/weight-checks.ts'
import { type Fill, scaleName } from '../models/weight-fills.ts'
import { weightBuilder } from '../models/weights.ts'
import type { Device } from '../runtime/device.ts'
import { arrayOf, bytesPerElement, convert, type DtypeArray, viewOf } from '../runtime/dtype.ts'
import { BareclipError } from '../runtime/errors.ts'
import { type Precision, scalesPerRow } from '../runtime/quantize.ts'
import { quantizedFormat, storedPrecision } from './dtype.ts'
import { type ModelFiles, openModel } from './files.ts'
import { oneOf, type Progress } from './options.ts'
import { preprocessingOf } from './parts.ts'

export interface QuantizeOptions {
  readonly dtype: 'f16' | 'q12' | 'q8'
  readonly signal?: AbortSignal | undefined
  /** In bytes of the new file. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

export interface QuantizeResult {
  /** Of model.safetensors, in bytes. */
  readonly before: number
  readonly after: number
  /** Tensors that the model does not use: they are left out. */
  readonly unused: readonly string[]
}

/** Largest piece of a tensor that is held; the next one is read ahead. */
const pieceBytes = 8 * 2 ** 20

/**
 * Writes a model's weights again, smaller: the bytes of a new model.safetensors go through `write`, piece by piece. With the
 * model's other files beside it the new one loads like any other and gives the same bits as the old one loaded with this
 * dtype. Tensors are read and written one after the other.
 *
 * Rejects as `load` does, with UNSUPPORTED_MODEL where the weights are codes already, NOT_FINITE where a number has no place
 * in the new dtype, with what `write` throws, or the signal's reason.
 */
export async function quantize(
  model: string | URL | ModelFiles,
  { dtype, signal, onProgress }: QuantizeOptions,
  write: (piece: Uint8Array) => Promise<void> | void,
): Promise<QuantizeResult> {
  oneOf('dtype', dtype, ['f16', 'q12', 'q8'])
  signal?.throwIfAborted()
  const files = await openModel(model, signal)
  let file: Safetensors | undefined
  try {
    const plan = planModel(files.config)
    createTokenizer(files.tokenizer)
    preprocessingOf(plan, files.preprocessor)
    file = await openSafetensors(files.weights, { signal })
    const stored = storedPrecision(file)
    if (stored) {
      throw new BareclipError(
        'UNSUPPORTED_MODEL',
        `${file.name} is ${stored} already: expected the original weights in F32, F16 or BF16`,
      )
    }
    const sink = createSink()
    const weights = weightBuilder(sink, file, dtype)
    plan.build(weights)
    const tensors = await newTensors(jobsOf(file, weights.fills, sink, signal), dtype)
    const metadata = metadataOf(file, dtype)
    const total = safetensorsLength(tensors, metadata)
    let done = 0
    await writeSafetensors(
      tensors,
      async (piece) => {
        signal?.throwIfAborted()
        await write(piece)
        done += piece.length
        onProgress?.({ stage: 'quantize', done, total, unit: 'bytes' })
      },
      metadata,
    )
    const used = new Set(weights.fills.map(({ name }) => name))
    const unused = [...file.tensors.keys()].filter((name) => !used.has(name))
    return { before: files.weights.size, after: total, unused }
  } finally {
    await (file ?? files.weights).close()
  }
}

/** A place for weights that hands on what is written there: codes are made as in `load`, not a second way. */
interface Sink extends Pick<Device, 'allocate' | 'write'> {
  /** What was written since the last call, each in its target's dtype. */
  take(): { readonly label: string; readonly values: DtypeArray }[]
}

function createSink(): Sink {
  let written: ReturnType<Sink['take']> = []
  return {
    allocate({ label, dtype, shape }) {
      return { label, dtype, shape, offset: 0, storage: { lifetime: 'weights', bytes: 0 } }
    },
    async write({ label, dtype }, from, values) {
      const target = arrayOf(dtype, values.length)
      convert(from, values, dtype, target)
      written.push({ label, values: target })
    },
    take() {
      const taken = written
      written = []
      return taken
    },
  }
}

/** A tensor of the old file. */
interface Job {
  readonly fill: Fill
  readonly entry: TensorEntry
  /** In whole rows: the old values, and what `fill` made of them. */
  read(): AsyncIterable<{ readonly values: DtypeArray; readonly made: ReturnType<Sink['take']> }>
}

/** In the order of the old file. */
function jobsOf(file: Safetensors, fills: readonly Fill[], sink: Sink, signal: AbortSignal | undefined): Job[] {
  const jobs = fills.map((fill): Job => {
    const { name, rowSize } = fill
    const entry = file.tensors.get(name)!
    const from = runtimeDtype(entry.dtype)
    if (!from || !fill.accepts.includes(from)) {
      throw new BareclipError(
        'UNSUPPORTED_MODEL',
        `${file.name}: tensor ${name} is ${entry.dtype}; supported are F32, F16 and BF16`,
      )
    }
    const size = bytesPerElement[from]
    const rowBytes = rowSize * size
    const wholeRows = Math.max(1, Math.floor(pieceBytes / rowBytes)) * rowBytes
    return {
      ...{ fill, entry },
      async *read() {
        for await (const { offset, bytes } of file.chunks(name, wholeRows, signal)) {
          const values = viewOf(from, bytes)
          const place = { label: `${file.name}: tensor ${name}`, width: rowSize, offset: offset / size }
          await fill.write(from, values, offset / size)
          const made = sink.take()
          if (made[0]?.values instanceof Uint16Array) requireHalf(from, values, place)
          yield { values, made }
        }
      },
    }
  })
  return jobs.sort((a, b) => a.entry.begin - b.entry.begin)
}

/** The new file's tensors, in the order of the old one's. What others need is read here. */
async function newTensors(jobs: readonly Job[], dtype: QuantizeOptions['dtype']): Promise<TensorData[]> {
  const early = new Map<string, DtypeArray>()
  for (const { fill, read } of jobs) {
    if (!fill.first) continue
    for await (const { made } of read()) for (const { label, values } of made) early.set(label, values)
  }
  return jobs.flatMap(({ fill, entry, read }): TensorData[] => {
    const { name, shape } = entry
    const { role, precision, first } = fill
    if (first) return [{ name, shape, dtype: 'F32', bytes: () => bytesOf(early.get(name)!) }]
    if (precision) return codes(name, shape, fill.rowSize, precision, read)
    const kept = role === 'scalar' || role === 'convolution' || (role === 'vector' && dtype === 'f16')
    async function* bytes() {
      for await (const { values, made } of read()) yield bytesOf(kept ? values : (made[0]?.values ?? values))
    }
    return [{ name, shape, dtype: kept ? entry.dtype : role === 'vector' ? 'F32' : 'F16', bytes }]
  })
}

/** A matrix (rows, width) as codes, then its scales (rows, ⌈width / 64⌉), which are known once the codes are written. */
function codes(
  name: string,
  shape: readonly number[],
  width: number,
  precision: Precision,
  read: Job['read'],
): TensorData[] {
  let scales: DtypeArray[] = []
  return [
    {
      ...{ name, shape, dtype: precision === 'q8' ? 'I8' : 'I16' },
      async *bytes() {
        scales = []
        for await (const { made } of read()) {
          const [code, scale] = made
          scales.push(scale!.values)
          yield bytesOf(code!.values)
        }
      },
    },
    {
      ...{ name: scaleName(name), shape: [shape[0] ?? 0, scalesPerRow(width)], dtype: 'F32' },
      bytes: () => scales.map(bytesOf),
    },
  ]
}

function metadataOf({ metadata }: Safetensors, dtype: QuantizeOptions['dtype']) {
  if (dtype !== 'f16') return { format: quantizedFormat, precision: dtype }
  return Object.keys(metadata).length > 0 ? metadata : undefined
}

/** Little-endian, as every engine's typed arrays are. */
function bytesOf(values: DtypeArray): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
