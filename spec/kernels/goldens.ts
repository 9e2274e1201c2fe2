import { type Fixture, readFixture } from '../safetensors-fixture.ts'

let fixtures: Map<string, Fixture> | undefined

/** One tensor of the operations' golden values, computed elsewhere in float64. */
export function golden(name: string): Float32Array {
  fixtures ??= readFixture(new URL('../fixtures/golden/ops/ops.safetensors', import.meta.url))
  const fixture = fixtures.get(name)
  if (!fixture) throw new Error(`no golden tensor ${name}`)
  return fixture.values as Float32Array
}

/** Of a result of one operation, relative. */
export const goldenTolerance = 1e-6
