import { BareclipError } from '../../../runtime/errors.ts'
import { attentionShape, attentionShapes } from './attention.ts'
import { type LinearDtype, linearShape, linearShapes } from './linear.ts'
import { rowShape, rowShapes } from './rows.ts'
import type { BenchShape } from './shape.ts'

export interface ShapeChoice {
  readonly operations: readonly string[]
  readonly dtypes: readonly LinearDtype[]
  /** 512x768x3072, … Default: those of the model. */
  readonly sizes?: readonly string[] | undefined
  readonly quick: boolean
}

/** Throws INVALID_ARGUMENT for a size that no operation has. */
export function shapesFor({ operations, dtypes, sizes, quick }: ShapeChoice): readonly BenchShape[] {
  const all: BenchShape[] = [...linearShapes(dtypes), ...attentionShapes(), ...rowShapes()]
  const mine = all.filter(
    ({ operation, dtype }) => operations.includes(operation) && dtypes.includes(dtype as LinearDtype),
  )
  if (!sizes) return quick ? mine.filter((shape) => shape.quick) : mine
  return sizes.flatMap((size) => {
    const known = mine.filter((shape) => shape.size === size)
    if (known.length > 0) return known
    const made = operations.flatMap((operation) => shapesOf(operation, size, dtypes) ?? [])
    if (made.length > 0) return made
    throw new BareclipError(
      'INVALID_ARGUMENT',
      `no operation among ${operations.join(', ')} has a shape ${size}: linear has rows x in x out, attention sequences x tokens, the others rows x width`,
    )
  })
}

function shapesOf(operation: string, size: string, dtypes: readonly LinearDtype[]): BenchShape[] | undefined {
  if (!/^[1-9]\d{0,5}(x[1-9]\d{0,5}){1,2}$/.test(size)) return undefined
  if (operation === 'linear') return linearShape(size, dtypes)
  if (!dtypes.includes('f32')) return undefined
  return operation === 'attention' ? attentionShape(size) : rowShape(operation, size)
}
