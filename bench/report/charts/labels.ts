import { textWidth } from '../draw.ts'

/** In pixels. */
export interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

export interface Labelled {
  readonly x: number
  readonly y: number
  readonly radius: number
  /** What may be written, the best first. */
  readonly texts: readonly string[]
}

export interface Placed {
  readonly text: string
  /** Of the middle of the label. */
  readonly x: number
  readonly y: number
  /** Where a line from the point ends, if the label is not beside it. */
  readonly leader: { readonly x: number; readonly y: number } | undefined
}

const size = 11
const lineHeight = 13

/** Directions, the better ones first; a step to the right is as long as half the label. */
const directions = [
  [1, 0],
  [-1, 0],
  [0, -1],
  [0, 1],
  [1, -1],
  [-1, -1],
  [1, 1],
  [-1, 1],
] as const

/** Beside each point, over nothing else: the earlier points choose first. Undefined where nothing fits. */
export function placeLabels(
  points: readonly Labelled[],
  obstacles: readonly Box[],
  frame: Box,
): (Placed | undefined)[] {
  const taken = [...obstacles, ...points.map(({ x, y, radius }) => around(x, y, 2 * radius, 2 * radius))]
  return points.map((point) => {
    for (const text of point.texts) {
      const width = textWidth(text, size) + 2
      for (const far of [0, 13, 26]) {
        for (const [right, down] of directions) {
          const away = point.radius + 2 + far
          const x = point.x + right * (away * (down === 0 ? 1 : 0.7) + width / 2)
          const y = point.y + down * (away * (right === 0 ? 1 : 0.7) + (right === 0 ? lineHeight / 2 : far > 0 ? 4 : 2))
          const box = around(x, y, width, lineHeight)
          if (!inside(box, frame) || taken.some((other) => overlap(box, other))) continue
          taken.push(box)
          return { text, x, y, leader: far > 0 ? edge(box, point) : undefined }
        }
      }
    }
    return undefined
  })
}

export const around = (x: number, y: number, width: number, height: number): Box => ({
  left: x - width / 2,
  right: x + width / 2,
  top: y - height / 2,
  bottom: y + height / 2,
})

/** Small boxes along a line, which labels keep away from. */
export function along(x1: number, y1: number, x2: number, y2: number): Box[] {
  const steps = Math.min(400, Math.max(1, Math.ceil(Math.hypot(x2 - x1, y2 - y1) / 5)))
  return Array.from({ length: steps + 1 }, (_, i) =>
    around(x1 + ((x2 - x1) * i) / steps, y1 + ((y2 - y1) * i) / steps, 4, 4),
  )
}

const inside = (box: Box, frame: Box) =>
  box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom

const overlap = (a: Box, b: Box) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom

/** Heights at least `room` apart, near to where they should be, none under `bottom`. */
export function apart(heights: readonly number[], room: number, bottom: number): number[] {
  const order = heights.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y)
  const placed = new Array<number>(heights.length)
  let last = -Infinity
  for (const { y, i } of order) {
    last = Math.max(y, last + room)
    placed[i] = last
  }
  let next = bottom + room
  for (const { i } of order.reverse()) {
    next = Math.min(placed[i]!, next - room)
    placed[i] = next
  }
  return placed
}

/** Of the box, nearest to a point outside. */
const edge = ({ left, top, right, bottom }: Box, { x, y }: { readonly x: number; readonly y: number }) => ({
  x: Math.min(right, Math.max(left, x)),
  y: Math.min(bottom - 2, Math.max(top + 2, y)),
})
