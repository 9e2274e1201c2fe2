import { deepEqual, ok } from 'node:assert/strict'
import type { Command, Device } from '../../runtime/device.ts'
import { bytesPerElement } from '../../runtime/dtype.ts'
import type { Recording } from '../../runtime/scope.ts'
import { sizeOf } from '../../runtime/shape.ts'
import type { Tensor } from '../../runtime/tensor.ts'
import { createWasmDevice } from '../../runtime/wasm/device.ts'
import type { WasmKernel, WasmTable } from '../../runtime/wasm/kernel.ts'
import { compileModule } from '../../runtime/wasm/module.ts'
import { watchMemories } from '../wasm-memories.ts'

/** Around memory that a command asks for, in bytes. */
const zone = 4096
const untouched = 0xa5
/** More than any case takes, in bytes. */
const room = 64 * 2 ** 20

interface Range {
  readonly from: number
  readonly to: number
}

/** What was in memory before a pass of one command, and what the command may change. */
interface Watch {
  /** From the first weight to the end of what the command asked for. */
  readonly whole: Range
  readonly writable: readonly Range[]
  /** Where the pass' own memory begins. */
  readonly arena: number
  readonly weights: Uint8Array
  readonly inputs: ReadonlyMap<Tensor, number>
}

/**
 * A wasm device for passes of one command whose `run` fails where the kernel wrote a byte that it may not: beside its outputs
 * and the memory that it asked for, or to weights and inputs.
 */
export async function guardedDevice(kernels: WasmTable, threads: number): Promise<Device> {
  let recording: Recording | undefined
  let watch: Watch | undefined
  let memory: WebAssembly.Memory | undefined

  const guarded = (kernel: WasmKernel<never>): WasmKernel<never> => {
    return (parameters, access) => {
      const { operation, parameters: named } = recording!.commands[0]! as Command
      const range = (tensor: Tensor): Range => {
        const from = access.address(tensor)
        return { from, to: from + sizeOf(tensor.shape) * bytesPerElement[tensor.dtype] }
      }
      const writable = operation.writes(named).map(range)
      let end = access.temporary(zone) + zone
      const steps = kernel(parameters, {
        address: access.address,
        temporary(bytes) {
          const from = access.temporary(bytes + zone)
          writable.push({ from, to: from + bytes })
          end = from + bytes + zone
          return from
        },
      })
      const tensors = [...recording!.inputs.keys(), ...operation.reads(named), ...operation.writes(named)]
      const places = (lifetime: string) =>
        tensors.filter(({ storage }) => storage.lifetime === lifetime).map((tensor) => range(tensor).from)
      const arena = Math.min(...places('scratch'))
      const from = Math.min(arena, ...places('weights'))
      const bytes = new Uint8Array(memory!.buffer)
      ok(end <= bytes.length, 'the case takes more room than there is')
      bytes.fill(untouched, arena, end)
      const inputs = new Map([...recording!.inputs.keys()].map((tensor) => [tensor, access.address(tensor)]))
      watch = { whole: { from, to: end }, writable, arena, weights: bytes.slice(from, arena), inputs }
      return steps
    }
  }

  const check = ({ whole, writable, arena, weights, inputs }: Watch) => {
    const bytes = new Uint8Array(memory!.buffer)
    const expected = new Uint8Array(whole.to - whole.from).fill(untouched)
    expected.set(weights)
    for (const [tensor, address] of inputs) {
      const { buffer, byteOffset, byteLength } = recording!.inputs.get(tensor)!
      expected.set(new Uint8Array(buffer, byteOffset, byteLength), address - whole.from)
    }
    for (const { from, to } of writable) expected.set(bytes.subarray(from, to), from - whole.from)
    const found = bytes.subarray(whole.from, whole.to)
    const at = found.findIndex((byte, i) => byte !== expected[i])
    ok(
      at < 0,
      `byte ${at + whole.from - arena} from the arena's start was changed, ${at + whole.from - whole.to} from the end`,
    )
    deepEqual(bytes.subarray(0, 1024), bottom, 'the bottom of the memory was written')
  }

  const table = Object.fromEntries(Object.entries(kernels).map(([name, kernel]) => [name, guarded(kernel)]))
  let made: Device | undefined
  await watchMemories(async (memories) => {
    const module = await compileModule(threads > 1)
    made = await createWasmDevice(table, { module, threads, reason: 'guarded', variants: {} })
    memory = memories[0]!.deref()!
    memory.grow(room / 65536)
  })
  const bottom = new Uint8Array(memory!.buffer).slice(0, 1024) // with the module's constants
  const device = made!
  return {
    ...device,
    async run(scope, options) {
      recording = scope as Recording
      ok(scope.commands.length === 1, 'a guarded pass has one command')
      await device.run(scope, options)
      check(watch!)
    },
  }
}
