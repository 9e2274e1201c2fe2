import { referenceKernels } from '../../../kernels/reference.ts'
import { createReferenceDevice } from '../../../runtime/reference/device.ts'
import { createRoofs } from './roofs.ts'
import type { Target } from './target.ts'

const roofName = 'multiply-add f64'
const copyBytes = 64 * 2 ** 20
const rounds = 500_000

/** The reference device: JavaScript on one thread, sums in float64. */
export function createReferenceTarget(): Target {
  const device = createReferenceDevice(referenceKernels, 'for the bench')
  const roofs = createRoofs('reference')
  const sources = new Float32Array(copyBytes / 8).fill(1)
  const targets = new Float32Array(copyBytes / 8)
  const steady = async () => {
    const start = performance.now()
    targets[0] = multiplyAdds(rounds, 0.999, 0.001) // engines leave out what nobody looks at
    const rate = (rounds * 16) / (performance.now() - start) / 1e6
    roofs.saw(roofName, 'GFLOP/s', rate, '8 chains of float64 in a JavaScript loop, the fastest look')
    return 1000 / rate
  }
  return {
    info: device.info,
    timestamps: false,
    slow: true,
    get roofs() {
      return roofs.list
    },
    variants: () => [{ name: 'reference', device, choose() {} }],
    ceilings: () => ({
      peak: { name: roofName, rate: roofs.rate(roofName) },
      copy: roofs.rate('copy'),
      read: roofs.rate('read'),
    }),
    async measureRoofs(share) {
      for (let look = 0; look < Math.max(2, 5 * share); look++) {
        await steady()
        const size = `${copyBytes / 2 ** 20} MiB of float32 in all, in a JavaScript loop, the fastest look`
        const start = performance.now()
        for (let i = 0; i < sources.length; i++) targets[i] = sources[i]!
        const copied = performance.now()
        targets[0] = sum(sources) + sum(targets)
        const read = performance.now()
        if (look === 0) continue // before it is compiled well
        roofs.saw('copy', 'GB/s', copyBytes / (copied - start) / 1e6, `read and written, ${size}`)
        roofs.saw('read', 'GB/s', copyBytes / (read - copied) / 1e6, `read and added up, ${size}`)
      }
    },
    steady,
    dispose: () => device.dispose(),
  }
}

function multiplyAdds(rounds: number, x: number, y: number): number {
  let a = 0
  let b = 1
  let c = 2
  let d = 3
  let e = 4
  let f = 5
  let g = 6
  let h = 7
  for (let i = 0; i < rounds; i++) {
    a = a * x + y
    b = b * x + y
    c = c * x + y
    d = d * x + y
    e = e * x + y
    f = f * x + y
    g = g * x + y
    h = h * x + y
  }
  return a + b + c + d + e + f + g + h
}

/** Four sums at once: one alone waits for each addition. */
function sum(xs: Float32Array): number {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  for (let i = 0; i < xs.length; i += 4) {
    a += xs[i]!
    b += xs[i + 1]!
    c += xs[i + 2]!
    d += xs[i + 3]!
  }
  return a + b + c + d
}
