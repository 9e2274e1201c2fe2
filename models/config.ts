import { BareclipError, describe } from '../runtime/errors.ts'

/** Reads typed values from one object of a config.json. Every error names the key by its full path. */
export interface ConfigReader {
  has(key: string): boolean
  /** An object, empty if the key is absent. */
  object(key: string): ConfigReader
  /** A positive integer. */
  size(key: string, fallback?: number): number
  /** A non-negative integer. */
  index(key: string, fallback: number): number
  /** A positive finite number. */
  number(key: string, fallback: number): number
  flag(key: string, fallback: boolean): boolean
  text(key: string): string
  /** Throws UNSUPPORTED_MODEL unless the key is absent, null or one of these values. */
  only(key: string, ...supported: readonly unknown[]): void
}

/** Throws INVALID_CONFIG where a value has the wrong type. `file` and `path` are for messages. */
export function configReader(json: unknown, file: string, path = ''): ConfigReader {
  const at = (key: string) => (path ? `${path}.${key}` : key)
  const wrong = (key: string, expected: string, value: unknown) =>
    new BareclipError('INVALID_CONFIG', `${file}: ${at(key)} should be ${expected}, found ${describe(value)}`)
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new BareclipError(
      'INVALID_CONFIG',
      `${file}: ${path || 'the file'} should be an object, found ${describe(json)}`,
    )
  }
  const values = new Map<string, unknown>(Object.entries(json))

  const checked = <T>(key: string, fallback: T | undefined, test: (value: unknown) => boolean, expected: string): T => {
    const value = values.get(key) ?? fallback
    if (!test(value)) throw wrong(key, expected, value)
    return value as T
  }
  return {
    has: (key) => values.has(key),
    object: (key) => configReader(values.get(key) ?? {}, file, at(key)),
    size: (key, fallback) =>
      checked(key, fallback, (v) => Number.isSafeInteger(v) && Number(v) > 0, 'a positive integer'),
    index: (key, fallback) =>
      checked(key, fallback, (v) => Number.isSafeInteger(v) && Number(v) >= 0, 'an integer from 0'),
    number: (key, fallback) => checked(key, fallback, (v) => Number.isFinite(v) && Number(v) > 0, 'a positive number'),
    flag: (key, fallback) => checked(key, fallback, (v) => typeof v === 'boolean', 'true or false'),
    text: (key) => checked<string>(key, undefined, (v) => typeof v === 'string', 'a string'),
    only(key, ...supported) {
      const value = values.get(key)
      const found = JSON.stringify(value)
      if (value === undefined || value === null || supported.some((one) => JSON.stringify(one) === found)) return
      const choices = supported.map((one) => JSON.stringify(one)).join(' or ')
      throw new BareclipError('UNSUPPORTED_MODEL', `${file}: ${at(key)} is ${found}; supported is ${choices}`)
    },
  }
}
