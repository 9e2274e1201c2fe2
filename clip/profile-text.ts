import type { Profile, ProfileRow } from './profile.ts'
import { digits, table } from './table.ts'

/** Parts are listed under an operation that has several. */
export function profileText({ ms, operations, parts }: Profile & { readonly ms: number }): string {
  const rows = operations.flatMap((operation) => {
    const own = parts.filter((part) => part.operation === operation.operation)
    return [
      cells(operation.operation, operation, ms),
      ...(own.length > 1 ? own.map((part) => cells(`  ${part.shapes}`, part, ms)) : []),
    ]
  })
  const rest = ms - operations.reduce((sum, operation) => sum + operation.ms, 0)
  return table([
    ['  commands one by one', 'calls', 'ms', 'share', 'GFLOP/s', 'GB/s'],
    ...rows,
    ['  between commands and before', '', digits(rest), share(rest, ms)],
    ['  in all', '', digits(ms)],
  ])
}

function cells(name: string, { calls, ms, flops, bytes }: ProfileRow, total: number): string[] {
  return [`  ${name}`, `${calls}`, digits(ms), share(ms, total), digits(flops / ms / 1e6), digits(bytes / ms / 1e6)]
}

const share = (ms: number, total: number) => `${((100 * ms) / total).toFixed(1)} %`
