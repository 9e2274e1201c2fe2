import type { Clip } from '../../clip/clip.ts'
import type { ModelDtype } from '../../clip/dtype.ts'
import { defaultModel, type LoadOptions, load } from '../../clip/load.ts'
import { BareclipError, messageOf } from '../../runtime/errors.ts'
import { type Machine, machine } from '../machine.ts'
import { type Agreement, agreementOf } from './agreement.ts'
import { captions, drawings } from './items.ts'
import { truthOf } from './kept.ts'

export const precisionDevices = ['reference', 'wasm', 'webgpu'] as const
export type PrecisionDevice = (typeof precisionDevices)[number]
export const precisionDtypes = ['f32', 'f16', 'q12', 'q8'] as const satisfies readonly ModelDtype[]

export interface PrecisionOptions extends Pick<LoadOptions, 'threads' | 'gpu' | 'signal'> {
  /** A folder; the demonstration model if undefined. */
  readonly model?: string | undefined
  /** Default: all three, but neither webgpu on the processor nor a large model on the reference device: they take hours. */
  readonly devices?: readonly PrecisionDevice[] | undefined
  readonly dtypes: readonly ModelDtype[]
  readonly texts: number
  readonly images: number
  /** See TruthOptions. */
  readonly truth?: string | undefined
  readonly onRow?: ((row: PrecisionRow) => Promise<void>) | undefined
  readonly onProgress?: ((text: string) => void) | undefined
}

export interface PrecisionRow extends Agreement {
  readonly device: PrecisionDevice
  readonly dtype: ModelDtype
  /** 'full' and 'outliers' are `bareclip synth DIR --size full`, without and with --outliers; else the folder. */
  readonly weights: string
  readonly tower: 'text' | 'image'
}

/** In bytes. The reference device does about 1.5 GFLOP/s. */
const largeModel = 50e6

function takesHours({ info, memory }: Clip): string | undefined {
  if (info.adapter?.software) return `${info.adapter.description} computes on the processor`
  if (info.device === 'reference' && memory().weights > largeModel) return 'slow with a model of this size'
  return undefined
}

export interface PrecisionReport {
  readonly schema: 'bareclip-bench-precision-1'
  readonly machine: Machine
  /** ISO 8601. */
  readonly date: string
  readonly settings: Pick<PrecisionOptions, 'devices' | 'dtypes' | 'texts' | 'images' | 'threads'>
  readonly rows: readonly PrecisionRow[]
  /** What could not be had, and why. */
  readonly missing: readonly { readonly device: PrecisionDevice; readonly dtype: ModelDtype; readonly reason: string }[]
}

/** SHA-256 of the weights that have a name of their own. */
const known: Readonly<Record<string, string>> = {
  cfe713220aa57644ca977ea606fc33206bc3107c9ff2512efb2cb818218cbf2f: 'full',
  be9ca846fb28f03d662ba74820f54abd09f0692d972caf7bd8b7bd9b87fb94a2: 'outliers',
}

/**
 * Each device and dtype beside float64. Throws what `load` throws of a model's files, and INVALID_ARGUMENT; a device or dtype
 * that is not to be had is noted, DEVICE_UNAVAILABLE if that is all of them.
 */
export async function benchPrecision(options: PrecisionOptions): Promise<PrecisionReport> {
  const { devices = precisionDevices, dtypes, texts, images, threads, signal, onProgress, onRow } = options
  const model = options.model ?? defaultModel()
  const truth = await truthOf(model, { texts, images, file: options.truth, signal, onProgress })
  const weights = options.model === undefined ? 'shapes' : (known[truth.weights] ?? options.model)
  const rows: PrecisionRow[] = []
  const missing: PrecisionReport['missing'][number][] = []
  for (const device of devices) {
    for (const dtype of dtypes) {
      onProgress?.(`${dtype} on ${device} …`)
      try {
        for (const [tower, found] of await embed(model, device, dtype, options)) {
          const row = { device, dtype, weights, tower, ...agreementOf(found, truth[tower]) }
          rows.push(row)
          await onRow?.(row)
        }
      } catch (error) {
        if (!(error instanceof BareclipError) || !excused.includes(error.code)) throw error
        missing.push({ device, dtype, reason: messageOf(error) })
      }
    }
  }
  if (rows.length === 0) {
    const reasons = new Set(missing.map(({ reason }) => reason))
    throw new BareclipError('DEVICE_UNAVAILABLE', `nothing to compare: ${[...reasons].join('; ')}`)
  }
  const settings = { devices, dtypes, texts, images, threads }
  return {
    ...{ schema: 'bareclip-bench-precision-1', machine: machine(), date: new Date().toISOString() },
    ...{ settings, rows, missing },
  }
}

/** INVALID_ARGUMENT: codes as other codes. */
const excused: readonly string[] = ['DEVICE_UNAVAILABLE', 'OUT_OF_MEMORY', 'DEVICE_LOST', 'INVALID_ARGUMENT']

/** Rows by tower. */
async function embed(
  model: string | URL,
  device: PrecisionDevice,
  dtype: ModelDtype,
  { devices, texts, images, threads, gpu, signal }: PrecisionOptions,
): Promise<Map<'text' | 'image', Float32Array[]>> {
  const own = { ...(device === 'wasm' && { threads }), ...(device === 'webgpu' && { gpu }) }
  using clip = await load(model, { device, dtype, signal, ...own })
  const slow = devices ? undefined : takesHours(clip)
  if (slow !== undefined) throw new BareclipError('DEVICE_UNAVAILABLE', `${slow}; --devices ${device} does it`)
  const { imageSize } = clip.info
  const rowsOf = ({ rows, row }: { readonly rows: number; row(i: number): Float32Array }) =>
    Array.from({ length: rows }, (_, i) => row(i))
  const found = new Map([['text' as 'text' | 'image', rowsOf(await clip.encodeText(captions(texts), { signal }))]])
  if (imageSize !== undefined) {
    found.set('image', rowsOf(await clip.encodeImage(drawings(images, imageSize), { signal })))
  }
  return found
}
