import type { DeviceInfo } from '../../../runtime/device.ts'
import type { Roof } from '../report.ts'

/** The fastest that was seen of each. */
export interface Roofs {
  readonly list: readonly Roof[]
  saw(name: string, unit: Roof['unit'], rate: number, how: string): void
  /** In 10⁹ a second. */
  rate(name: string): number
}

export function createRoofs(device: DeviceInfo['device']): Roofs {
  const found = new Map<string, Roof>()
  return {
    get list() {
      return [...found.values()]
    },
    saw(name, unit, rate, how) {
      if (!(rate <= (found.get(name)?.rate ?? 0))) found.set(name, { name, device, unit, rate, how })
    },
    rate: (name) => found.get(name)?.rate ?? Number.NaN,
  }
}
