export type Shape = readonly number[]

/** Number of elements; 1 for a scalar's shape []. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, dimension) => product * dimension, 1)
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis])
}

/** (2, 3) as in an error message. */
export function formatShape(shape: Shape): string {
  return `(${shape.join(', ')})`
}
