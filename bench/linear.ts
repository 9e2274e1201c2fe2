import { linear } from '../kernels/linear/linear.ts'
import { referenceKernels } from '../kernels/reference.ts'
import { createReferenceDevice } from '../runtime/reference/device.ts'
import { median, sample } from './statistics.ts'

/** (rows, in, out) as the towers have them: 16 and 128 tokens, one image. */
const shapes = [
  [1, 768, 2304],
  [16, 768, 2304],
  [16, 3072, 768],
  [128, 768, 6144],
  [197, 768, 768],
  [197, 2048, 768],
] as const

export async function benchLinear(): Promise<void> {
  console.log('rows x in x out     median GFLOP/s   slowest   fastest')
  for (const [rows, width, out] of shapes) {
    const device = createReferenceDevice(referenceKernels)
    const weight = device.allocate({ label: 'w', role: 'matrix', shape: [out, width], dtype: 'f32' })
    await device.write(weight, 'f32', wave(out * width))
    const values = wave(rows * width)
    const times = await sample(7, async () => {
      const scope = device.scope()
      linear(scope, scope.input('x', 'f32', [rows, width], values), { weight })
      await device.run(scope)
      scope.end()
    })
    const rate = (ms: number) => ((2 * rows * width * out) / ms / 1e6).toFixed(2)
    const name = `${rows} x ${width} x ${out}`
    console.log(
      `${name.padEnd(20)}${rate(median(times)).padStart(14)}${rate(times.at(-1)!).padStart(10)}${rate(times[0]!).padStart(10)}`,
    )
    device.dispose()
  }
}

function wave(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898) * 0.5)
}
