import { fail } from 'node:assert/strict'

/** Fails at the first component that differs by more than `tolerance`, or that is NaN on one side only. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  if (actual.length !== expected.length) fail(`${what}: ${actual.length} values, expected ${expected.length}`)
  let worst = 0
  let at = -1
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!)
    if (!(difference <= worst)) {
      worst = difference
      at = i
      if (Number.isNaN(difference)) break
    }
  }
  if (!(worst <= tolerance)) {
    fail(
      `${what}: component ${at} is ${actual[at]}, expected ${expected[at]} (difference ${worst}, tolerance ${tolerance})`,
    )
  }
}
