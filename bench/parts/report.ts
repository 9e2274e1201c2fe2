import type { Spread } from '../statistics.ts'
import type { Part } from './items.ts'

export interface PartResult {
  readonly name: string
  /** Of one call. */
  readonly ms?: Spread
  readonly rate?: number
  readonly unit?: string
  /** How many times as fast ours is, by round. */
  readonly ratio?: Spread
  readonly failure?: string
}

export interface PartReport {
  readonly part: Part
  readonly name: string
  readonly contenders: readonly PartResult[]
}
