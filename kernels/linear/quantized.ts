import type { Dtype } from '../../runtime/dtype.ts'
import { largestCode, scaleColumns } from '../../runtime/quantize.ts'

/**
 * Largest magnitude of an activation's code beside weights of this dtype (i8: q8, i16: q12): 32767 and 16392. A sum of 64
 * products then stays within int32: 64 · 127 · 32767 = 266 338 176, 64 · 2047 · 16392 = 2 147 483 136, both < 2^31. One
 * scale per row of x makes every code of the row at most this, so no partial sum can be larger either.
 */
export function activationLimit(dtype: Dtype): number {
  const most = scaleColumns * largestCode[dtype === 'i8' ? 'q8' : 'q12']
  return Math.min(2 ** 15 - 1, Math.floor((2 ** 31 - 1) / most))
}
