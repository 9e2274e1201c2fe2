import type { Pixels } from '../../loaders/image/image.ts'

const colours = {
  ...{ red: [220, 40, 40], green: [40, 160, 60], blue: [40, 80, 220], yellow: [240, 220, 50], orange: [245, 145, 30] },
  ...{ purple: [130, 50, 170], pink: [250, 150, 190], brown: [125, 75, 40], black: [15, 15, 15] },
  ...{ white: [250, 250, 250], gray: [130, 130, 130], cyan: [60, 210, 220] },
} satisfies Record<string, readonly number[]>
const colourNames = Object.keys(colours) as (keyof typeof colours)[]

/** Whether a point is inside; the shape is about 1 in radius around (0, 0), y downwards. */
const shapes = {
  circle: (x: number, y: number) => x * x + y * y < 1,
  square: (x: number, y: number) => Math.max(Math.abs(x), Math.abs(y)) < 0.85,
  triangle: (x: number, y: number) => y < 0.8 && y > 2 * Math.abs(x) - 1,
  diamond: (x: number, y: number) => 1.4 * Math.abs(x) + Math.abs(y) < 1,
  cross: (x: number, y: number) =>
    Math.min(Math.abs(x), Math.abs(y)) < 0.3 && Math.max(Math.abs(x), Math.abs(y)) < 0.95,
  ring: (x: number, y: number) => Math.abs(Math.hypot(x, y) - 0.75) < 0.25,
  rectangle: (x: number, y: number) => Math.abs(x) < 1 && Math.abs(y) < 0.55,
  moon: (x: number, y: number) => Math.hypot(x, y) < 1 && Math.hypot(x - 0.45, y) > 0.8,
}
const shapeNames = Object.keys(shapes) as (keyof typeof shapes)[]

/** Of item i; no two are alike below 960 = 12 · 8 · 10. */
const scene = (i: number) => {
  const colour = colourNames[i % 12]!
  const background = colourNames[((i % 12) + 1 + (Math.floor(i / 96) % 10)) % 12]!
  return { colour, background, shape: shapeNames[(Math.floor(i / 12) + i) % 8]! }
}

export const mostItems = 960

/** Of 4 to about 20 tokens, every sixteenth of about 60. */
export function captions(count: number): string[] {
  const long = 'the drawing is plain and flat, it has no text and no frame, and nothing else can be seen in it'
  return Array.from({ length: count }, (_, i) => {
    const { colour, background, shape } = scene(i)
    const whole = `a ${['tiny', 'large', 'medium sized'][i % 3]} ${colour} ${shape} on a ${background} background`
    if (i % 16 === 7)
      return `${whole}; ${long}, though ${colour} is what one sees first and ${background} is all around`
    return [`${colour} ${shape} on ${background}`, whole, `a drawing of ${whole}`, `we can see ${whole}.`][i % 4]!
  })
}

/** One shape each, at different places and sizes, with a little noise. size: width and height */
export function drawings(count: number, size: number): Pixels[] {
  return Array.from({ length: count }, (_, i) => {
    const { colour, background, shape } = scene(i)
    const radius = size * [0.12, 0.32, 0.2][i % 3]!
    const centre = [(i * 7) % 10, (i * 3) % 10].map((step) => radius + (step / 9) * (size - 2 * radius))
    const data = Uint8Array.from({ length: size * size * 3 }, (_, at) => {
      const pixel = Math.floor(at / 3)
      const [x, y] = [pixel % size, Math.floor(pixel / size)]
      const inside = shapes[shape]((x + 0.5 - centre[0]!) / radius, (y + 0.5 - centre[1]!) / radius)
      const noise = ((x * 7919 + y * 104_729 + i * 31 + ((x * y) % 251) * 13) % 7) - 3
      return Math.min(255, Math.max(0, colours[inside ? colour : background][at % 3]! + noise))
    })
    return { data, width: size, height: size }
  })
}
