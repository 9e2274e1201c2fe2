/**
 * The shortest decimal that gives the float32 `x` back when it is read as a float32 (or as a double that is rounded to
 * one): 0.1 for 0.1f, not 0.10000000149011612. JSON has no NaN and no infinity: they become null.
 *
 * Nine digits are always enough for a float32. In the common range candidates come from one multiplication, one rounding
 * and one division: digits / 10^k is correctly rounded since both are exact.
 */
export function floatText(x: number): string {
  const size = Math.abs(x)
  if (!(size >= 1e-7 && size < 1) || isPowerOfTwo(x)) return uncommon(x)
  let k = decimals(size)
  if (!fits(size, k)) {
    k++
    if (!fits(size, k)) return searchDigits(x)
  } else while (fits(size, k - 1)) k--
  const digits = String(Math.round(size * powers[k]!))
  return (x < 0 ? '-0.' : '0.') + zeros.slice(0, k - digits.length) + digits
}

/** `x` with no more digits than its float32 has. */
export function shortNumber(x: number): number {
  return Number.isFinite(x) ? Number(floatText(Math.fround(x))) : x
}

/** The numbers of a JSON array, without its brackets. */
export function floatTexts(vector: Float32Array): string {
  let text = ''
  for (let i = 0; i < vector.length; i++) text += i === 0 ? floatText(vector[i]!) : `,${floatText(vector[i]!)}`
  return text
}

const zeros = '0000000'
const powers = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16]

/** Of `size` in [1e-7, 1) with 8 significant digits. */
function decimals(size: number): number {
  let k = 8
  for (let scaled = size * 10; scaled < 1; scaled *= 10) k++
  return k
}

/** Whether `size`, rounded to k decimals, is still the same float32. */
function fits(size: number, k: number): boolean {
  const power = powers[k]!
  return Math.fround(Math.round(size * power) / power) === size
}

const bits = new DataView(new ArrayBuffer(4))

/** Below a power of two the floats are closer than above: there the nearest short decimal may fail and the next one fit. */
function isPowerOfTwo(x: number): boolean {
  bits.setFloat32(0, x)
  return (bits.getUint32(0) & 0x7fffff) === 0
}

function uncommon(x: number): string {
  if (!Number.isFinite(x)) return 'null'
  if (x === 0) return Object.is(x, -0) ? '-0' : '0'
  return searchDigits(x)
}

/** x: finite, not 0. JavaScript prints a double of up to 15 digits with just these digits. */
function searchDigits(x: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const nearest = Number(x.toPrecision(digits))
    if (Math.fround(nearest) === x) return String(nearest)
    const lastPlace = Number(`${Math.sign(x)}e${Math.floor(Math.log10(Math.abs(nearest))) - digits + 1}`)
    const outward = Number((nearest + lastPlace).toPrecision(digits))
    if (Math.fround(outward) === x) return String(outward)
  }
  return String(Number(x.toPrecision(9)))
}
