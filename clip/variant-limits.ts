import type { WebgpuKernel, WebgpuTable } from '../runtime/webgpu/kernel.ts'

/** Kernels choose their variants by the WGSL extensions they are offered; here some can be withheld, per operation. */
export interface LimitedVariants {
  readonly table: WebgpuTable
  /**
   * Withholds one extension that the operation's kernels enabled, or of every operation that enabled any. → its name, or
   * undefined where nothing is left to withhold.
   */
  withhold(operation: string | undefined): string | undefined
}

/** The rarer one first. */
const order = ['chromium_experimental_subgroup_matrix', 'subgroups', 'f16']

export function limitVariants(table: WebgpuTable): LimitedVariants {
  const enabled = new Map<string, Set<string>>()
  const withheld = new Map<string, Set<string>>()

  const limited = (name: string, kernel: WebgpuKernel<never>): WebgpuKernel<never> => {
    const used = new Set<string>()
    const none = new Set<string>()
    enabled.set(name, used)
    withheld.set(name, none)
    return (parameters, access) => {
      const extensions =
        none.size === 0 ? access.extensions : new Set([...access.extensions].filter((e) => !none.has(e)))
      const dispatches = kernel(parameters, { ...access, extensions })
      for (const { pipeline } of dispatches) for (const extension of pipeline.enable ?? []) used.add(extension)
      return dispatches
    }
  }

  return {
    table: Object.fromEntries(Object.entries(table).map(([name, kernel]) => [name, limited(name, kernel)])),
    withhold(operation) {
      const operations = operation === undefined ? [...enabled.keys()] : [operation]
      const left = (name: string) => [...(enabled.get(name) ?? [])].filter((e) => !withheld.get(name)!.has(e))
      const all = new Set(operations.flatMap(left))
      const chosen = order.find((extension) => all.has(extension)) ?? [...all][0]
      if (chosen === undefined) return undefined
      for (const name of operations) withheld.get(name)?.add(chosen)
      return chosen
    },
  }
}
