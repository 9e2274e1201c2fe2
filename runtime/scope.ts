import type { Command, Operation, Scope } from './device.ts'
import { bytesPerElement, type Dtype, type DtypeArray } from './dtype.ts'
import { invariant } from './errors.ts'
import { type Shape, sizeOf } from './shape.ts'
import type { Storage, Tensor } from './tensor.ts'

/** What a device sees of a scope when it runs it. */
export interface Recording extends Scope {
  readonly inputs: ReadonlyMap<Tensor, DtypeArray>
  readonly outputs: ReadonlySet<Tensor>
  readonly ended: boolean
}

/** Recording is the same on every device. `onEnd` is called once. */
export function createRecording(onEnd: () => void): Recording {
  const commands: Command[] = []
  const inputs = new Map<Tensor, DtypeArray>()
  const outputs = new Set<Tensor>()
  let ended = false

  const tensor = (label: string, dtype: Dtype, shape: Shape): Tensor => {
    invariant(!ended, `${label} is made in a scope that has ended`)
    const storage: Storage = { lifetime: 'scratch', bytes: sizeOf(shape) * bytesPerElement[dtype] }
    return { label, dtype, shape, storage, offset: 0 }
  }

  return {
    commands,
    inputs,
    outputs,
    get ended() {
      return ended
    },
    input(label, dtype, shape, values) {
      invariant(values.length === sizeOf(shape), `${label}: ${values.length} values for shape (${shape.join(', ')})`)
      const made = tensor(label, dtype, shape)
      inputs.set(made, values)
      return made
    },
    scratch: (label, shape, dtype = 'f32') => tensor(label, dtype, shape),
    output(made) {
      outputs.add(made)
      return made
    },
    record<Parameters>(operation: Operation<Parameters>, parameters: Parameters) {
      invariant(!ended, `${operation.name} is recorded in a scope that has ended`)
      operation.validate(parameters)
      commands.push({ operation, parameters } as unknown as Command)
    },
    end() {
      if (ended) return
      ended = true
      onEnd()
    },
  }
}
