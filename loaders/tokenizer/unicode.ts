import { packedTables } from './unicode-tables.ts'

/** Columns per row of a packed table, first and last code point included. */
const COLUMNS = { keptClasses: 3, lower: 4 } as const
type Valued = keyof typeof COLUMNS
type Name = keyof typeof packedTables
export type RangeName = Exclude<Name, Valued>

const unpacked = new Map<Name, Int32Array>()

function unpack(name: Name, columns: number): Int32Array {
  const known = unpacked.get(name)
  if (known) return known
  const rows = Int32Array.from(packedTables[name].split(' '), (digits) => Number.parseInt(digits, 36))
  let end = 0
  for (let i = 0; i < rows.length; i += columns) {
    const first = end + rows[i]!
    end = first + rows[i + 1]!
    rows[i] = first
    rows[i + 1] = end
  }
  unpacked.set(name, rows)
  return rows
}

/** Index of the row whose range holds the code point, or -1. */
function rowOf(rows: Int32Array, columns: number, point: number): number {
  let low = 0
  let high = rows.length / columns - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    if (point < rows[middle * columns]!) high = middle - 1
    else if (point > rows[middle * columns + 1]!) low = middle + 1
    else return middle * columns
  }
  return -1
}

export function isIn(name: RangeName, point: number): boolean {
  return rowOf(unpack(name, 2), 2, point) >= 0
}

/** Canonical combining class of a code point that is not one of `removedMarks`. */
export function keptClass(point: number): number {
  const rows = unpack('keptClasses', COLUMNS.keptClasses)
  const row = rowOf(rows, COLUMNS.keptClasses, point)
  return row < 0 ? 0 : rows[row + 2]!
}

/** Lower case of one code point on its own: never a final sigma. */
export function lowerCase(point: number): number[] {
  if (point === 0x130) return [0x69, 0x307]
  const rows = unpack('lower', COLUMNS.lower)
  const row = rowOf(rows, COLUMNS.lower, point)
  const inStep = row >= 0 && (point - rows[row]!) % rows[row + 2]! === 0
  return [inStep ? point + rows[row + 3]! : point]
}

/** NFD of one code point. The table keeps out what newer versions of Unicode decompose. */
export function decompose(point: number): number[] {
  if (!isIn('decomposing', point)) return [point]
  return Array.from(String.fromCodePoint(point).normalize('NFD'), (part) => part.codePointAt(0)!)
}
