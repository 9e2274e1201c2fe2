/** Elements that a pass over rows works off in one unit: some 10 µs. */
const unitElements = 16384

/** Rows of `width` elements in one unit of work. */
export function rowsPerUnit(width: number): number {
  return Math.max(1, Math.round(unitElements / Math.max(1, width)))
}
