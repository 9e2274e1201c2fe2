import type { JpegFile } from './jpeg-file.ts'

export type ColourModel = 'grey' | 'rgb' | 'ycc' | 'cmyk' | 'ycck'

/** What a file's components mean, by the rules of libjpeg's jdapimin.c: JFIF, then Adobe's segment, then component ids. */
export function colourModelOf({ components, hasJfif, adobeTransform }: JpegFile): ColourModel {
  if (components.length === 1) return 'grey'
  if (components.length === 4) return adobeTransform === undefined || adobeTransform === 0 ? 'cmyk' : 'ycck'
  if (hasJfif) return 'ycc'
  if (adobeTransform !== undefined) return adobeTransform === 0 ? 'rgb' : 'ycc'
  return String.fromCharCode(...components.map((c) => c.id)) === 'RGB' ? 'rgb' : 'ycc'
}

/** Converts a row. lines: the samples of each component; rgb[to, to + 3 width) takes the result. */
type RowConverter = (lines: readonly Uint8ClampedArray[], rgb: Uint8ClampedArray, to: number) => void

/** JFIF's YCbCr to RGB in 16-bit fixed point, rounded as libjpeg's jdcolor.c does. */
const fromYcc: RowConverter = (lines, rgb, start) => {
  const [ys, cbs, crs] = lines as [Uint8ClampedArray, Uint8ClampedArray, Uint8ClampedArray]
  for (let x = 0, to = start; x < ys.length; x++, to += 3) {
    const y = ys[x]!
    const cb = cbs[x]! - 128
    const cr = crs[x]! - 128
    rgb[to] = y + ((Math.imul(91881, cr) + 32768) >> 16) // 1.402
    rgb[to + 1] = y + ((Math.imul(-22554, cb) - Math.imul(46802, cr) + 32768) >> 16) // 0.34414, 0.71414
    rgb[to + 2] = y + ((Math.imul(116130, cb) + 32768) >> 16) // 1.772
  }
}

function interleave(lines: readonly Uint8ClampedArray[], rgb: Uint8ClampedArray, start: number): void {
  const [a, b, c] = lines as [Uint8ClampedArray, Uint8ClampedArray, Uint8ClampedArray]
  for (let x = 0, to = start; x < a.length; x++, to += 3) {
    rgb[to] = a[x]!
    rgb[to + 1] = b[x]!
    rgb[to + 2] = c[x]!
  }
}

/**
 * rgb holds the inks (255 = full), black what the file says of the fourth one, inverted (255 = none), as Adobe stores it
 * and as Pillow takes every CMYK JPEG. Pillow's Convert.c, cmyk2rgb.
 */
function applyInks(black: Uint8ClampedArray, rgb: Uint8ClampedArray, start: number): void {
  for (let x = 0, to = start; x < black.length; x++) {
    const light = black[x]!
    for (const end = to + 3; to < end; to++) {
      const t = rgb[to]! * light + 128
      rgb[to] = light - (((t >> 8) + t) >> 8)
    }
  }
}

export const converters: Readonly<Record<ColourModel, RowConverter>> = {
  grey: ([line], rgb, to) => interleave([line!, line!, line!], rgb, to),
  rgb: interleave,
  ycc: fromYcc,
  cmyk(lines, rgb, to) {
    interleave(lines, rgb, to)
    for (let i = to; i < to + 3 * lines[0]!.length; i++) rgb[i] = 255 - rgb[i]!
    applyInks(lines[3]!, rgb, to)
  },
  ycck(lines, rgb, to) {
    fromYcc(lines, rgb, to) // the inks: libjpeg gives 255 less this as CMYK, which Pillow inverts again
    applyInks(lines[3]!, rgb, to)
  },
}
