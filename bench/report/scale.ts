/** From data to pixels along one axis, as Plot does it; for labels that have to know where things are. */
export interface Axis {
  readonly domain: readonly [number, number]
  readonly ticks: readonly number[]
  readonly at: (value: number) => number
  /** The other way. */
  readonly value: (pixel: number) => number
}

/** Powers of ten, with 2 and 5 between them where there is room: about `room` of them. */
export function logAxis(
  [low, high]: readonly [number, number],
  [from, to]: readonly [number, number],
  room: number,
): Axis {
  const decades = Math.log10(high / low)
  const ticks: number[] = []
  const step = Math.max(1, Math.ceil(decades / room))
  const between = decades * 3 <= room ? [1, 2, 5] : [1]
  for (let exponent = Math.floor(Math.log10(low)); exponent <= Math.log10(high); exponent += step) {
    for (const digit of between) {
      const value = digit * 10 ** exponent
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push(value)
    }
  }
  return {
    domain: [low, high],
    ticks,
    at: (value) => from + ((to - from) * Math.log10(value / low)) / decades,
    value: (pixel) => low * 10 ** ((decades * (pixel - from)) / (to - from)),
  }
}

/** From 0 to a round number above `most`. */
export function linearAxis(most: number, [from, to]: readonly [number, number], room: number): Axis {
  const rough = (most || 1) / room
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((digit) => digit * power).find((value) => value >= rough * (1 - 1e-9))!
  const count = Math.ceil((most / step) * (1 - 1e-9))
  const high = Math.max(1, count) * step
  const ticks = Array.from({ length: Math.round(high / step) + 1 }, (_, i) => Number((i * step).toPrecision(12)))
  return {
    domain: [0, high],
    ticks,
    at: (value) => from + ((to - from) * value) / high,
    value: (pixel) => (high * (pixel - from)) / (to - from),
  }
}
