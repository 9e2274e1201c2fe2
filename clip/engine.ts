import type { DecodeOptions, ImageInput, Preprocessing } from '../loaders/image/image.ts'
import type { Tokenizer } from '../loaders/tokenizer/tokenizer.ts'
import type { Model } from '../models/tower.ts'
import type { Device, Scope } from '../runtime/device.ts'
import type { DtypeArray } from '../runtime/dtype.ts'
import type { Tensor } from '../runtime/tensor.ts'
import type { ModelDtype } from './dtype.ts'
import type { Queue } from './queue.ts'

/** What a loaded model is made of; the encoders work on it. */
export interface Engine {
  readonly device: Device
  readonly model: Model
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

/** One forward pass: waits for its turn, records, runs, and reads the tensors that `record` returns. */
export function runPass(
  { device, queue }: Engine,
  record: (scope: Scope) => readonly Tensor[],
  { signal, onProgress }: PassOptions = {},
): Promise<DtypeArray[]> {
  return queue.run(async () => {
    const scope = device.scope()
    try {
      const outputs = record(scope).map((tensor) => scope.output(tensor))
      await device.run(scope, { signal, onProgress: (done, total) => onProgress?.(total > 0 ? done / total : 1) })
      return await Promise.all(outputs.map((tensor) => device.read(tensor)))
    } finally {
      scope.end()
    }
  }, signal)
}
