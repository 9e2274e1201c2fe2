import { type Case, runCase } from '../../kernels/case.ts'
import { referenceKernels } from '../../kernels/reference.ts'
import { BareclipError } from '../../runtime/errors.ts'
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

/** About a quarter of a second. */
const mostFlops = 5e8

/** The result of a shape by the reference device: all of it, of some rows that stand for all, or some elements of it. */
export async function expectedOf(shape: BenchShape, signal?: AbortSignal): Promise<Expected> {
  const { distinct } = shape
  const few = await computed(shape, (distinct ?? shape).data(), signal)
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

async function computed(shape: BenchShape, data: unknown, signal: AbortSignal | undefined): Promise<Expected> {
  let width = 0
  let flops = 0
  const item: Pick<Case, 'load'> = {
    async load(device, loaded) {
      const ready = await shape.load(device, loaded)
      return {
        ...ready,
        record(scope) {
          const outputs = ready.record(scope)
          const { operation, parameters } = scope.commands[0]!
          flops = operation.flops(parameters)
          width = outputs[0]!.shape.at(-1) ?? 1
          return outputs
        },
      }
    },
  }
  const table = Object.fromEntries(
    Object.entries(referenceKernels as ReferenceTable).map(([name, kernel]) => [
      name,
      sampled(kernel, () => mostFlops / flops),
    ]),
  )
  const device = createReferenceDevice(table)
  try {
    const [values] = await runCase(device, item, data, { signal })
    if (!values) throw new BareclipError('INVALID_ARGUMENT', `${shape.name} has no result`)
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
