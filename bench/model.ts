import { load } from '../index.ts'
import { median, sample } from './median.ts'

/** folder: a checkpoint; the embedded one if undefined */
export async function benchModel(folder: string | undefined): Promise<void> {
  const started = performance.now()
  const clip = await load(folder)
  const { device, threads, name, dtype } = clip.info
  console.log(
    `${name}: ${device}, ${dtype}, ${threads} thread; loaded in ${(performance.now() - started).toFixed(0)} ms`,
  )
  const tokens = (length: number) => ({ tokens: Array.from({ length }, (_, i) => 3 + (i % 300)) })
  const size = clip.info.imageSize
  const pixels = size && { data: new Uint8Array(size * size * 3).fill(99), width: size, height: size }
  const cases: [string, () => Promise<unknown>][] = [
    ['text of 16 tokens', () => clip.encodeText(tokens(16))],
    ['text of 128 tokens', () => clip.encodeText(tokens(128))],
    ...(pixels ? ([['one image', () => clip.encodeImage(pixels)]] as [string, () => Promise<unknown>][]) : []),
  ]
  for (const [what, task] of cases) {
    const times = await sample(3, task)
    console.log(
      `${what.padEnd(20)} median ${median(times).toFixed(0)} ms (${times[0]!.toFixed(0)} … ${times.at(-1)!.toFixed(0)})`,
    )
  }
  const { weights, scratch } = clip.memory()
  console.log(`memory: weights ${(weights / 2 ** 20).toFixed(0)} MiB, scratch ${(scratch / 2 ** 20).toFixed(0)} MiB`)
  clip.dispose()
}
