// Chroma upsampling as libjpeg-turbo's jdsample.c does it by default ("fancy"): a triangle filter where a component has
// half the samples across, down or both, with its rounding; plain replication for other factors and for tiny images.

/** Samples of one component. data: (whole blocks down, stride), of which (rows, columns) is the image. */
export interface Plane {
  readonly data: Uint8ClampedArray
  readonly stride: number
  readonly columns: number
  readonly rows: number
}

/** Writes row y of a component at full width to out. */
export type RowSource = (y: number, out: Uint8ClampedArray) => void

/**
 * out[2i], out[2i + 1] = 3/4 line[from + i] + 1/4 of its left or right neighbour. Rounding adds a little less than a half
 * on one side, a half on the other. A line of samples has shift 2, one of samples times 4 has shift 4.
 */
function stretch(
  line: Uint8ClampedArray | Int32Array,
  from: number,
  columns: number,
  out: Uint8ClampedArray,
  shift: 2 | 4,
): void {
  const left = shift === 2 ? 1 : 8
  const right = shift === 2 ? 2 : 7
  const end = from + columns - 1
  let before = line[from]!
  let here = before
  let to = 0
  for (let i = from; i <= end; i++) {
    const after = i < end ? line[i + 1]! : here
    out[to] = (here * 3 + before + left) >> shift
    out[to + 1] = (here * 3 + after + right) >> shift // beyond an odd width: dropped
    to += 2
    before = here
    here = after
  }
}

/** The rows of a component at full size. across, down: full size over the component's size, whole numbers. */
export function componentRows(plane: Plane, across: number, down: number): RowSource {
  const { data, stride, columns, rows } = plane
  if (across === 1 && down === 1) return (y, out) => out.set(data.subarray(y * stride, y * stride + columns))
  const fancyAcross = across === 2 && columns > 2
  if (fancyAcross && down === 1) return (y, out) => stretch(data, y * stride, columns, out, 2)
  if ((fancyAcross || across === 1) && down === 2) {
    const line = new Int32Array(columns)
    return (y, out) => {
      const row = y >> 1
      const neighbour = Math.min(Math.max(y & 1 ? row + 1 : row - 1, 0), rows - 1)
      const a = row * stride
      const b = neighbour * stride
      for (let i = 0; i < columns; i++) line[i] = data[a + i]! * 3 + data[b + i]!
      if (fancyAcross) stretch(line, 0, columns, out, 4)
      else {
        const round = y & 1 ? 2 : 1
        for (let i = 0; i < columns; i++) out[i] = (line[i]! + round) >> 2
      }
    }
  }
  return (y, out) => {
    const from = Math.floor(y / down) * stride
    for (let x = 0; x < out.length; x++) out[x] = data[from + Math.floor(x / across)]!
  }
}
