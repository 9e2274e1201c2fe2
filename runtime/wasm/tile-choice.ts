import type { WasmModule } from './module.ts'
import type { WasmEntry } from './slices.ts'

/** A shape of the register tiles. */
export interface TileShape {
  /** What `setTile` takes (kernels/tiles.as.ts). */
  readonly code: number
  /** Rows x columns. */
  readonly name: string
}

export interface TileShapes {
  /** The smallest first. */
  readonly shapes: readonly TileShape[]
  /** The index of the one that runs until there is a measurement. */
  readonly usual: number
}

/**
 * Those that win somewhere. x64 has 16 vector registers: the tallest that V8 fits in are 6 rows with fused multiply-adds, 5
 * without. 8 rows need 18 registers and hide the latency of more multipliers: arm64 has both.
 */
export const tileShapes: Readonly<Record<WasmModule['form'], TileShapes>> = {
  'relaxed-simd': {
    shapes: [
      { code: 4, name: '4x8' },
      { code: 6, name: '6x8' },
      { code: 8, name: '8x8' },
    ],
    usual: 1,
  },
  simd128: {
    shapes: [
      { code: 4, name: '4x8' },
      { code: 5 + 256, name: '5x8 packed' },
      { code: 8, name: '8x8' },
    ],
    usual: 1,
  },
}

/** Which tile the products of the module run with. */
export interface TileChoice {
  /** What `setTile` takes. */
  readonly code: number
  /** For a person to read: which shape of which. */
  readonly name: string
  /** Measures, if it is still open and some time has passed since; about a millisecond. */
  look(): void
}

const choices = new Map<string, TileChoice>()

/** One per form of the module, kind of memory and process: another load does not measure again. */
export function tileChoice(module: WasmModule): TileChoice {
  const key = `${module.form} ${module.shared}`
  let choice = choices.get(key)
  if (!choice) {
    choice = createTileChoice(tileShapes[module.form], trialOf(module))
    choices.set(key, choice)
  }
  return choice
}

/** Runs a product with tiles of a shape. */
export interface TileTrial {
  /** The bits of a product with tails on all sides. */
  bits(code: number): Uint32Array
  /** One product, to take its time. */
  run(code: number): void
}

/** Longest look, in milliseconds, and from one to the next. */
const lookMs = 1
const pauseMs = 40
const mostRounds = 6
/** Rounds after which every engine has the tiles compiled well. */
const warmRounds = 12
const mostLooks = 16
/** Two looks agree if no time changed by more than this share. */
const steady = 0.15
/** A shape has to be faster than the usual one by this share: what a busy machine makes of equal ones. */
const margin = 0.05

/**
 * Engines compile in a hurry first and well later, function by function: a tile runs 6 to 8 times slower in V8's baseline code
 * until it has gone through some 65,000 steps of its loop, and a few milliseconds more until the other code is there;
 * JavaScriptCore does alike. There all shapes are about as slow, and the order among them says nothing about the good code.
 * So looks are short and apart from each other (while weights are loaded, and before passes), those before `warmRounds`
 * only warm up, and it ends when two later ones agree: some 10 to 20 ms in all, seen beside other work. That the choice may
 * change from pass to pass harms nobody: only shapes that give the same bits as the smallest are ever used.
 */
export function createTileChoice(
  { shapes, usual }: TileShapes,
  trial: TileTrial,
  now = () => performance.now(),
): TileChoice {
  const truth = trial.bits(shapes[0]!.code)
  const equal = shapes.filter(({ code }) => sameWords(trial.bits(code), truth))
  const fallback = equal.includes(shapes[usual]!) ? shapes[usual]! : shapes[0]!
  const best = equal.map(() => Number.POSITIVE_INFINITY)
  let chosen = fallback
  let looks = equal.length > 1 ? mostLooks : 0
  let last = Number.NEGATIVE_INFINITY
  let rounds = 0
  let before: readonly number[] | undefined

  return {
    get code() {
      return chosen.code
    },
    get name() {
      const refused = shapes.filter((shape) => !equal.includes(shape)).map(({ name }) => name)
      const others = refused.length > 0 ? `; other bits: ${refused.join(', ')}` : ''
      return `tile ${chosen.name} of ${equal.map(({ name }) => name).join(', ')}${others}`
    },
    look() {
      const start = now()
      if (looks === 0 || start - last < pauseMs) return
      looks--
      const warm = rounds >= warmRounds
      const times = equal.map(() => Number.POSITIVE_INFINITY)
      for (let round = 0; round < mostRounds && (round === 0 || now() - start < lookMs); round++) {
        rounds++
        for (const [i, { code }] of equal.entries()) {
          const from = now()
          trial.run(code)
          times[i] = Math.min(times[i]!, now() - from)
        }
      }
      last = now()
      if (!warm) return
      for (const [i, time] of times.entries()) best[i] = Math.min(best[i]!, time)
      const least = Math.min(...best)
      const clear = least < (1 - margin) * best[equal.indexOf(fallback)]!
      chosen = clear ? equal[best.indexOf(least)]! : fallback
      if (before?.every((time, i) => Math.abs(time - times[i]!) <= steady * times[i]!)) looks = 0
      before = times
    },
  }
}

function sameWords(a: Uint32Array, b: Uint32Array): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i])
}

/** The `linear` entry on an instance and in a memory of its own. */
function trialOf({ module, shared }: WasmModule): TileTrial {
  const rows = 24
  const width = 256
  const out = 64
  const pages = 8
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared })
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const linear = exports.linear as WasmEntry
  const setTile = exports.setTile as (code: number) => void
  // parameters at 0, then x, weight, y and the kernel's scratch memory
  const x = 1024
  const weight = x + 4 * rows * width
  const y = weight + 4 * width * out
  ;(exports.setScratch as (address: number) => void)(y + 4 * rows * out)
  const values = new Float32Array(memory.buffer, x, (y - x) / 4)
  for (let i = 0; i < values.length; i++) values[i] = Math.sin(i * 12.9898) // every sum rounds, and its order shows
  const multiply = (code: number, m: number, k: number, n: number) => {
    setTile(code)
    new Uint32Array(memory.buffer, 0, 12).set([x, m, k, weight, 0, n, 0, 0, 0, 0, y, 16])
    linear(0, 0, 1)
  }
  return {
    bits(code) {
      multiply(code, 23, 67, 21)
      return new Uint32Array(memory.buffer, y, 23 * 21).slice()
    },
    run: (code) => multiply(code, rows, width, out),
  }
}
