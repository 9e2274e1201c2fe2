import type { Clip } from '../../clip/clip.ts'
import { defaultModel, load } from '../../clip/load.ts'
import { BareclipError } from '../../runtime/errors.ts'
import type { Cli } from './cli.ts'
import type { DeviceOptions } from './options.ts'
import { gpuOf } from './webgpu.ts'

/** With progress on a terminal. */
export async function loadModel(
  { messages, signal }: Cli,
  { model, device, dtype, threads }: DeviceOptions,
): Promise<Clip> {
  if (model === undefined && messages.isTerminal) {
    messages.say('using the small demonstration model: coloured shapes only; --model DIR loads another')
  }
  const clip = await load(model ?? defaultModel(), {
    device,
    dtype,
    threads,
    gpu: gpuOf(device),
    signal,
    onProgress: ({ stage, done, total }) => {
      const what = stage === 'compile' ? 'compiling kernels' : 'loading the model'
      messages.progress(`${what}: ${Math.floor((100 * done) / total)} %`)
    },
  })
  messages.clear()
  return clip
}

export function requireVision({ info }: Clip): void {
  if (info.imageSize !== undefined) return
  throw new BareclipError('UNSUPPORTED_MODEL', 'this model has no vision tower: it embeds text only')
}
