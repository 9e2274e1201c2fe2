import type { LoadedCase } from '../../kernels/case.ts'
import { referenceKernels } from '../../kernels/reference.ts'
import type { Device } from '../../runtime/device.ts'
import { type DtypeArray, toF32 } from '../../runtime/dtype.ts'
import { createReferenceDevice } from '../../runtime/reference/device.ts'
import type { ReferenceKernel, ReferenceTable } from '../../runtime/reference/kernel.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import type { BenchShape } from './shapes/shape.ts'

/** What a kernel should compute. NaN where the reference did not: that would have taken seconds. */
export interface Expected {
  readonly values: ArrayLike<number>
  /** Of a row. */
  readonly width: number
  /** Elements that are known. */
  readonly known: number
}

/** Runs a case that is loaded: its result as numbers, since which bits a NaN has is the processor's business. */
export async function outputOf(
  device: Device,
  loaded: LoadedCase,
  signal?: AbortSignal,
): Promise<{ values: DtypeArray; width: number }> {
  const scope = device.scope()
  try {
    const [output] = loaded.record(scope)
    await device.run(scope, { signal })
    const values = await device.read(output!)
    const { dtype, shape } = output!
    return { values: dtype === 'f16' || dtype === 'bf16' ? toF32(dtype, values) : values, width: shape.at(-1) ?? 1 }
  } finally {
    scope.end()
  }
}

/** About a quarter of a second. */
const mostFlops = 5e8

/** The result of a shape by the reference device: all of it, of some rows that stand for all, or some elements of it. */
export async function expectedOf(shape: BenchShape, signal?: AbortSignal, most = mostFlops): Promise<Expected> {
  const { distinct } = shape
  const few = await computed(shape, (distinct ?? shape).data(), signal, most)
  if (!distinct) return few
  const rows = rowsOf(shape)
  if (rows === distinct.rows) return few
  const values = new Float32Array(rows * few.width)
  for (let at = 0; at < values.length; at += few.values.length) {
    const piece = few.values as Float32Array
    values.set(piece.subarray(0, Math.min(piece.length, values.length - at)), at)
  }
  return { values, width: few.width, known: values.length }
}

const rowsOf = ({ size }: BenchShape) => Number(size.split('x')[0])

async function computed(
  shape: BenchShape,
  data: unknown,
  signal: AbortSignal | undefined,
  most: number,
): Promise<Expected> {
  let flops = 0
  const table = Object.fromEntries(
    Object.entries(referenceKernels as ReferenceTable).map(([name, kernel]) => [
      name,
      sampled(kernel, () => most / flops),
    ]),
  )
  const device = createReferenceDevice(table)
  try {
    const loaded = await shape.load(device, data)
    const counted: LoadedCase = {
      ...loaded,
      record(scope) {
        const outputs = loaded.record(scope)
        for (const { operation, parameters } of scope.commands) flops += operation.flops(parameters)
        return outputs
      },
    }
    const { values, width } = await outputOf(device, counted, signal)
    let known = 0
    for (const value of values) if (!Number.isNaN(value)) known++
    return { values, width, known }
  } finally {
    device.dispose()
  }
}

/** The kernel, working off no more than a share of its units, spread over all of them; the rest of y is NaN. */
function sampled(kernel: ReferenceKernel<never>, shareOf: () => number): ReferenceKernel<never> {
  return (parameters, access) => {
    const work = kernel(parameters, access)
    const share = shareOf()
    const { y } = parameters as { readonly y?: Tensor }
    if (!(share < 1) || !y || y.dtype !== 'f32') return work
    access.f32(y).fill(Number.NaN)
    const units = Math.max(1, Math.floor(work.units * share))
    /** Not evenly: rows and heads repeat. */
    const place = (i: number) => Math.floor(((i + ((i * 0.6180339887) % 1)) * work.units) / units)
    return {
      units,
      run(from, to) {
        for (let i = from; i < to; i++) work.run(place(i), Math.min(place(i) + 1, work.units))
      },
    }
  }
}
