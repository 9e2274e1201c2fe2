import { BareclipError, describe } from '../../runtime/errors.ts'

type Triple = readonly [number, number, number]

/** How an image becomes the vision tower's input. */
export interface Preprocessing {
  /** Side of the square crop, in pixels. */
  readonly size: number
  /** Of each channel, on a scale of 0 to 1. */
  readonly mean: Triple
  readonly std: Triple
}

const DEFAULTS: Preprocessing = {
  size: 224,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
}

/** Keys with one supported value each; the names and numbers that mean it. `resample` is Pillow's number for a filter. */
const ONLY: Record<string, readonly unknown[]> = {
  resize_mode: ['shortest'],
  interpolation: ['bicubic', 'BICUBIC', 3],
  resample: [3, 'bicubic'],
  do_resize: [true],
  do_center_crop: [true],
  do_rescale: [true],
  do_normalize: [true],
}

const FILE = 'preprocessor_config.json'
const MAX_SIZE = 4096

function wrongType(key: string, expected: string, value: unknown): BareclipError {
  return new BareclipError('INVALID_CONFIG', `${FILE}: expected ${key} to be ${expected}, got ${describe(value)}`)
}

function unsupported(key: string, value: unknown, supported: string): BareclipError {
  return new BareclipError(
    'UNSUPPORTED_MODEL',
    `${FILE}: ${key} ${JSON.stringify(value)} is not supported, only ${supported}`,
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A number, [n, n], {shortest_edge: n} or {height: n, width: n}. */
function readSize(key: string, value: unknown): number {
  let sides: unknown[] = [value]
  if (Array.isArray(value)) sides = value
  else if (isRecord(value)) {
    sides = 'shortest_edge' in value ? [value.shortest_edge] : [value.height, value.width]
  }
  const [side] = sides
  for (const s of sides) {
    if (!Number.isInteger(s) || (s as number) < 1 || (s as number) > MAX_SIZE) {
      throw wrongType(key, `a number of pixels from 1 to ${MAX_SIZE}`, s)
    }
    if (s !== side) throw unsupported(key, value, 'a square')
  }
  if (side === undefined) throw wrongType(key, `a number of pixels from 1 to ${MAX_SIZE}`, value)
  return side as number
}

function readTriple(key: string, value: unknown, positive: boolean): Triple {
  const good = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v) && (!positive || v > 0)
  if (!Array.isArray(value) || value.length !== 3 || !value.every(good)) {
    throw wrongType(key, `three ${positive ? 'positive ' : ''}numbers (red, green, blue)`, value)
  }
  return value as unknown as Triple
}

/**
 * Reads the parsed preprocessor_config.json, in jina-clip's keys (size, mean, std) or CLIP's (crop_size, image_mean,
 * image_std). Where it is silent the values of jina-clip-v1 hold.
 * @throws BareclipError INVALID_CONFIG on a wrong type, UNSUPPORTED_MODEL on another way to resize
 */
export function readPreprocessing(json: unknown): Preprocessing {
  if (!isRecord(json)) throw wrongType('the file', 'an object', json)
  const get = (...keys: string[]) => keys.find((key) => json[key] !== undefined && json[key] !== null)

  for (const [key, allowed] of Object.entries(ONLY)) {
    const value = json[key]
    if (value === undefined || value === null || allowed.includes(value)) continue
    if (typeof value !== typeof allowed[0] && typeof value !== typeof allowed.at(-1)) {
      throw wrongType(key, `a ${typeof allowed[0]}`, value)
    }
    throw unsupported(key, value, JSON.stringify(allowed[0]))
  }

  const factor = json.rescale_factor
  if (factor !== undefined && factor !== null) {
    if (typeof factor !== 'number') throw wrongType('rescale_factor', 'a number', factor)
    if (Math.abs(factor * 255 - 1) > 1e-6) throw unsupported('rescale_factor', factor, '1/255')
  }

  const sizeKey = get('size')
  const cropKey = get('crop_size')
  const crop = cropKey ? readSize(cropKey, json[cropKey]) : undefined
  const size = sizeKey ? readSize(sizeKey, json[sizeKey]) : (crop ?? DEFAULTS.size)
  if (crop !== undefined && crop !== size) throw unsupported('crop_size', json.crop_size, `the same as size, ${size}`)

  const mean = get('mean', 'image_mean')
  const std = get('std', 'image_std')
  return {
    size,
    mean: mean ? readTriple(mean, json[mean], false) : DEFAULTS.mean,
    std: std ? readTriple(std, json[std], true) : DEFAULTS.std,
  }
}
