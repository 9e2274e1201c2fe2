import type { DecodeOptions, ImageInput, Preprocessing } from '../loaders/image/image.ts'
import type { Tokenizer } from '../loaders/tokenizer/tokenizer.ts'
import type { Model } from '../models/tower.ts'
import type { Device, Scope } from '../runtime/device.ts'
import type { DtypeArray } from '../runtime/dtype.ts'
import { BareclipError } from '../runtime/errors.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { Startup } from './choose-webgpu.ts'
import type { ModelDtype } from './dtype.ts'
import type { LiveModel } from './live-model.ts'
import type { Queue } from './queue.ts'

/** What a loaded model is made of; the encoders work on it. */
export interface Engine {
  /** Another one after a loss, as is the model: ask for both anew in each pass. */
  readonly device: Device
  readonly model: Model
  /** See LiveModel. */
  readonly recover: LiveModel['recover']
  /** Ends what is under way, rebuilding included. */
  dispose(): void
  /** Of a device that compiles its kernels. */
  readonly startup?: Startup | undefined
  readonly tokenizer: Tokenizer
  /** Of the vision tower's images. */
  readonly preprocessing: Preprocessing
  readonly decoding: Omit<DecodeOptions, 'signal'>
  readonly queue: Queue
  /** Most tokens of one pass, which bounds its scratch; a longer text is a pass of its own. */
  readonly passTokens: number
  /** Of the weights. */
  readonly dtype: ModelDtype
}

export type { ImageInput }

export interface PassOptions {
  readonly signal?: AbortSignal | undefined
  /** Share of the pass that is done, 0 … 1. */
  readonly onProgress?: ((share: number) => void) | undefined
}

/**
 * One forward pass: waits for its turn, records, runs, and reads the tensors that `record` returns. Where the device is lost
 * meanwhile and can be replaced, the pass is run once more, from its beginning.
 */
export function runPass(
  engine: Engine,
  record: (scope: Scope) => readonly Tensor[],
  { signal, onProgress }: PassOptions = {},
): Promise<DtypeArray[]> {
  let share = 0
  const report = (done: number, total: number) => {
    share = Math.max(share, total > 0 ? done / total : 1)
    onProgress?.(share)
  }
  const pass = async () => {
    const { device } = engine
    const scope = device.scope()
    try {
      const outputs = record(scope).map((tensor) => scope.output(tensor))
      await device.run(scope, { signal, onProgress: report })
      return await Promise.all(outputs.map((tensor) => device.read(tensor)))
    } finally {
      scope.end()
    }
  }
  return engine.queue.run(async () => {
    try {
      return await pass()
    } catch (loss) {
      if (!isLoss(loss)) throw loss
      await engine.recover(loss, signal)
    }
    try {
      return await pass()
    } catch (cause) {
      if (!isLoss(cause)) throw cause
      const why = `${cause.message.replace(/: load the model again$/, '')}, right after it was rebuilt`
      throw new BareclipError('DEVICE_LOST', `${why}; a call later on rebuilds it again`, { cause })
    }
  }, signal)
}

const isLoss = (error: unknown): error is BareclipError =>
  error instanceof BareclipError && error.code === 'DEVICE_LOST'
