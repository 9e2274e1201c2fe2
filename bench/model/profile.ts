import type { Engine } from '../../clip/engine.ts'
import type { Command } from '../../runtime/device.ts'
import { formatShape } from '../../runtime/shape.ts'

/** What a group of commands cost, in one call. */
export interface ProfileRow {
  readonly operation: string
  /** Shapes: first operand → result. Undefined in a row for all of an operation. */
  readonly shapes?: string
  readonly calls: number
  readonly ms: number
  /** One multiply-add counts 2. */
  readonly flops: number
  /** Least traffic with memory. */
  readonly bytes: number
}

export interface Profile {
  /** One per operation, the slowest first. */
  readonly operations: readonly ProfileRow[]
  /** One per operation and shapes, the slowest first. */
  readonly parts: readonly ProfileRow[]
}

export interface Observer {
  /** The commands of each pass, before it runs. */
  readonly onPass?: (commands: readonly Command[]) => void
  /** Makes the wasm device run commands one by one, each a program of its own. */
  readonly onCommand?: (command: Command, ms: number) => void
}

/** The same model on the same device, seen at work. */
export function observed(engine: Engine, { onPass, onCommand }: Observer): Engine {
  const { device } = engine
  return {
    ...engine,
    device: {
      ...device,
      run(scope, options) {
        onPass?.(scope.commands)
        return device.run(scope, { ...options, onCommand })
      },
    },
  }
}

/** Adds up what `onCommand` reports. */
export function createProfile(): { add(command: Command, ms: number): void; result(): Profile } {
  const operations = new Map<string, ProfileRow>()
  const parts = new Map<string, ProfileRow>()
  return {
    add(command, ms) {
      const { name } = command.operation
      const shapes = shapesOf(command)
      addTo(operations, name, { operation: name }, command, ms)
      addTo(parts, `${name} ${shapes}`, { operation: name, shapes }, command, ms)
    },
    result: () => ({ operations: slowestFirst(operations), parts: slowestFirst(parts) }),
  }
}

export const flopsOf = ({ operation, parameters }: Command) => operation.flops(parameters)

function addTo(
  rows: Map<string, ProfileRow>,
  key: string,
  names: Pick<ProfileRow, 'operation' | 'shapes'>,
  command: Command,
  ms: number,
): void {
  const row = rows.get(key) ?? { calls: 0, ms: 0, flops: 0, bytes: 0 }
  rows.set(key, {
    ...names,
    calls: row.calls + 1,
    ms: row.ms + ms,
    flops: row.flops + flopsOf(command),
    bytes: row.bytes + command.operation.bytes(command.parameters),
  })
}

function shapesOf({ operation, parameters }: Command): string {
  const [from] = operation.reads(parameters)
  const [to] = operation.writes(parameters)
  return `${from ? formatShape(from.shape) : '-'} → ${to ? formatShape(to.shape) : '-'}`
}

const slowestFirst = (rows: Map<string, ProfileRow>) => [...rows.values()].sort((a, b) => b.ms - a.ms)
