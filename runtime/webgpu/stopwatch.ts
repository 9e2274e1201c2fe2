import { bufferUsage, mapRead } from './constants.ts'

/** Times compute passes on the device itself, where it has timestamps. */
export interface Stopwatch {
  /** Whether so many passes can be timed together. */
  holds(passes: number): boolean
  /** For the descriptor of pass i. */
  around(i: number): GPUComputePassDescriptor
  /** Encodes the way back of the first `passes`. */
  encode(encoder: GPUCommandEncoder, passes: number): void
  /** Their times together, in milliseconds. */
  read(passes: number): Promise<number>
  /** What it holds goes, being read or not. */
  discard(): void
}

/** WebGPU's largest query set holds 4096 timestamps; two for each pass. */
const mostPasses = 2048

export function createStopwatch(device: GPUDevice): Stopwatch {
  const possible = device.features.has('timestamp-query')
  let parts: { set: GPUQuerySet; resolved: GPUBuffer; staging: GPUBuffer } | undefined

  const ready = () => {
    parts ??= {
      set: device.createQuerySet({ type: 'timestamp', count: 2 * mostPasses }),
      resolved: device.createBuffer({
        label: 'timestamps',
        size: 16 * mostPasses,
        usage: bufferUsage.queryResolve | bufferUsage.copySource,
      }),
      staging: device.createBuffer({
        label: 'timestamps staging',
        size: 16 * mostPasses,
        usage: bufferUsage.copyTarget | bufferUsage.mapRead,
      }),
    }
    return parts
  }

  return {
    holds: (passes) => possible && passes > 0 && passes <= mostPasses,
    around: (i) => ({
      timestampWrites: { querySet: ready().set, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
    }),
    encode(encoder, passes) {
      const { set, resolved, staging } = ready()
      encoder.resolveQuerySet(set, 0, 2 * passes, resolved, 0)
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16 * passes)
    },
    async read(passes) {
      const { staging } = ready()
      await staging.mapAsync(mapRead, 0, 16 * passes)
      const times = new BigUint64Array(staging.getMappedRange(0, 16 * passes).slice(0))
      staging.unmap()
      let nanoseconds = 0
      for (let i = 0; i < passes; i++) nanoseconds += Math.max(0, Number(times[2 * i + 1]! - times[2 * i]!))
      return nanoseconds / 1e6
    },
    discard() {
      parts?.set.destroy()
      parts?.resolved.destroy()
      parts?.staging.destroy()
      parts = undefined
    },
  }
}
