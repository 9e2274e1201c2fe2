/** How much work goes into one submission: about 50 ms of it, by what earlier ones took. */
export interface Pace {
  /** In flops. */
  readonly budget: number
  /** A submission of `flops` took `ms`. */
  measured(flops: number, ms: number): void
}

const aim = 50
const least = 5e7
const most = 1e13

/** software: see `OpenedDevice`; a first guess, right until something was measured */
export function createPace(software: boolean): Pace {
  let budget = software ? 1e8 : 4e9
  return {
    get budget() {
      return budget
    },
    measured(flops, ms) {
      if (flops < budget / 4 && ms < aim) return // says nothing of large ones
      const wanted = (flops * aim) / Math.max(ms, 1)
      budget = Math.min(most, Math.max(least, Math.min(4 * budget, Math.max(budget / 16, wanted))))
    },
  }
}
