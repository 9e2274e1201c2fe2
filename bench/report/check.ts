import { BareclipError, describe } from '../../runtime/errors.ts'

/** Takes a value of a JSON file as what it should be. `path`: where it is, for the message. Throws INVALID_ARGUMENT. */
export type Read<T> = (value: unknown, path: string) => T

/** More of anything is no report of ours. */
const longestList = 20_000
const longestText = 300

function refuse(path: string, expected: string, value: unknown): never {
  throw new BareclipError(
    'INVALID_ARGUMENT',
    value === undefined
      ? `${path} is missing: expected ${expected}`
      : `${path} should be ${expected}, got ${describe(value)}`,
  )
}

/** What was measured lies between these, and so sums, products and quotients of it stay finite. */
const [least, most] = [1e-18, 1e18]

export const number: Read<number> = (value, path) =>
  typeof value === 'number' && Math.abs(value) <= most ? value : refuse(path, `a number of at most ${most}`, value)

export const positive: Read<number> = (value, path) =>
  typeof value === 'number' && value >= least && value <= most
    ? value
    : refuse(path, `a number above 0, from ${least} to ${most}`, value)

/** 0 or more. */
export const amount: Read<number> = (value, path) =>
  typeof value === 'number' && (value === 0 || (value >= least && value <= most))
    ? value
    : refuse(path, `0, or a number from ${least} to ${most}`, value)

/** One line of text that is safe to draw: no control characters, no marks that turn the direction of what follows. */
export const text: Read<string> = (value, path) =>
  typeof value === 'string' ? tidy(value) : refuse(path, 'a string', value)

/** One line without control characters, at most 300 characters. */
export function tidy(value: string): string {
  const clean = value
    .slice(0, 4 * longestText)
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00a0\ufffe\uffff]+/gu, ' ')
    .replace(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .trim()
  const letters = [...clean]
  return letters.length > longestText ? `${letters.slice(0, longestText).join('')}…` : clean
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Read<T> {
  return (value, path) =>
    allowed.find((one) => one === value) ?? refuse(path, allowed.map((one) => `"${one}"`).join(' or '), value)
}

/** What is absent, or null as JSON has it for NaN. */
export function optional<T>(read: Read<T>): Read<T | undefined> {
  return (value, path) => (value === undefined || value === null ? undefined : read(value, path))
}

export function list<T>(read: Read<T>): Read<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return refuse(path, 'a list', value)
    if (value.length > longestList) return refuse(path, `a list of at most ${longestList}`, value)
    return value.map((item, i) => read(item, `${path}[${i}]`))
  }
}

type Fields = Readonly<Record<string, Read<unknown>>>

/** Other fields are left alone: a report may hold more than is drawn. */
export function object<F extends Fields>(fields: F): Read<{ readonly [K in keyof F]: ReturnType<F[K]> }> {
  return (value, path) => {
    const given = record(value, path)
    const entries = Object.entries(fields).map(([name, read]) => [name, read(given[name], `${path}.${name}`)])
    return Object.fromEntries(entries)
  }
}

/** An object of any names, as pairs. */
export function pairs<T>(read: Read<T>): Read<readonly (readonly [string, T])[]> {
  return (value, path) =>
    Object.entries(record(value, path))
      .slice(0, longestList)
      .map(([name, item]) => [tidy(name), read(item, `${path}.${tidy(name).slice(0, 40)}`)])
}

function record(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(path, 'an object', value)
  return Object.fromEntries(Object.entries(value))
}

export const flag: Read<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : refuse(path, 'true or false', value)

/** A number, text, yes or no, or a list of those, as one would type it. */
export const setting: Read<string | boolean> = (value, path) => {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return tidy(value)
  if (Array.isArray(value))
    return tidy(
      value
        .slice(0, 100)
        .map((item) => nameOf(item))
        .join(','),
    )
  if (value === null) return ''
  return refuse(path, 'a number, a string, true or false, or a list of them', value)
}

/** Cases are objects with names. */
const nameOf = (item: unknown): string =>
  typeof item === 'object' && item !== null && 'name' in item ? String(item.name) : String(item)
