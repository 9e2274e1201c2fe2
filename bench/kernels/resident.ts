import type { Case } from '../../kernels/case.ts'
import type { Command, Device, Operation, Scope } from '../../runtime/device.ts'
import { bytesPerElement, type Dtype, type DtypeArray } from '../../runtime/dtype.ts'
import { invariant } from '../../runtime/errors.ts'
import { type Shape, sizeOf } from '../../runtime/shape.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import type { Work } from './roofline.ts'

/** A case whose operands, results included, lie on the device before the clock starts, several times over. */
export interface ResidentCase {
  /** Records `count` calls, each on the next of the copies. */
  record(scope: Scope, count: number): void
  readonly work: Work
  free(): void
}

/** Copies together: more than the caches of most processors hold, so that operands come from memory, as weights do in a model. */
const togetherBytes = 64 * 2 ** 20
/** Of small operands; more would take long to make. */
const mostCopies = 256

export async function makeResident<Data>(
  device: Device,
  item: Pick<Case<Data>, 'load'>,
  data: Data,
): Promise<ResidentCase> {
  const tensors: Tensor[] = []
  const commands: Command[] = []
  let next = 0
  const free = () => {
    for (const tensor of tensors) device.free(tensor)
  }
  try {
    do {
      const loaded = await item.load(device, data)
      tensors.push(...loaded.weights)
      const writes: { tensor: Tensor; dtype: Dtype; values: DtypeArray }[] = []
      loaded.record(collecting(device, tensors, writes, commands))
      for (const { tensor, dtype, values } of writes) if (values.length > 0) await device.write(tensor, dtype, values)
    } while (
      tensors.reduce((sum, { storage }) => sum + storage.bytes, 0) < togetherBytes &&
      commands.length < mostCopies
    )
  } catch (error) {
    free()
    throw error
  }
  return {
    record(scope, count) {
      for (let i = 0; i < count; i++, next = (next + 1) % commands.length) {
        const { operation, parameters } = commands[next]!
        scope.record(operation, parameters)
      }
    },
    work: workOf(commands[0]!),
    free,
  }
}

function workOf({ operation, parameters }: Command): Work {
  const bytes = operation.bytes(parameters)
  const written = operation
    .writes(parameters)
    .reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * bytesPerElement[dtype], 0)
  const inPlace = operation.writes(parameters).some((tensor) => operation.reads(parameters).includes(tensor))
  return { flops: operation.flops(parameters), bytes, bytesWritten: Math.min(written, inPlace ? bytes / 2 : bytes) }
}

/** A scope that never runs: its tensors stay on the device. */
function collecting(
  device: Device,
  tensors: Tensor[],
  writes: { tensor: Tensor; dtype: Dtype; values: DtypeArray }[],
  commands: Command[],
): Scope {
  /** As one row: rows of a table may lie apart. */
  const place = (label: string, dtype: Dtype, shape: Shape): Tensor => {
    const tensor = device.allocate({ label, role: 'table', shape: [1, sizeOf(shape)], dtype })
    tensors.push(tensor)
    return tensor
  }
  const before = commands.length
  return {
    commands: [],
    input(label, dtype, shape, values) {
      const tensor = place(label, dtype, shape)
      writes.push({ tensor, dtype, values })
      return { ...tensor, shape }
    },
    scratch: (label, shape, dtype = 'f32') => ({ ...place(label, dtype, shape), shape }),
    output: (tensor) => tensor,
    record<Parameters>(operation: Operation<Parameters>, parameters: Parameters) {
      invariant(commands.length === before, 'a case records one operation')
      operation.validate(parameters)
      commands.push({ operation, parameters } as unknown as Command)
    },
    end() {},
  }
}
