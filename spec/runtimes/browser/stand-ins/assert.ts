import { AssertionError } from './assertion-error.ts'
import { isDeepStrictEqual } from './deep-equal.ts'

// node:assert/strict, as much of it as the specs use. Anything else is missing, so that its use fails.

type Check = ((error: unknown) => unknown) | (abstract new (...values: never[]) => unknown) | RegExp | object
type Message = string | Error | undefined

function failed(message: Message, otherwise: string, details: Omit<AssertionErrorDetails, 'message'>): never {
  if (message instanceof Error) throw message
  throw new AssertionError({ ...details, message: message ?? otherwise })
}
type AssertionErrorDetails = ConstructorParameters<typeof AssertionError>[0]

export function fail(message: string | Error = 'Failed'): never {
  failed(message, 'Failed', { operator: 'fail' })
}

export function ok(value: unknown, message?: string | Error): asserts value {
  if (!value) failed(message, `${show(value)} is not truthy`, { actual: value, expected: true, operator: '==' })
}

export function equal(actual: unknown, expected: unknown, message?: string | Error): void {
  if (!Object.is(actual, expected)) {
    failed(message, `${show(actual)} is not ${show(expected)}`, { actual, expected, operator: 'strictEqual' })
  }
}

export function notEqual(actual: unknown, expected: unknown, message?: string | Error): void {
  if (Object.is(actual, expected)) {
    failed(message, `is ${show(expected)}`, { actual, expected, operator: 'notStrictEqual' })
  }
}

export function deepEqual(actual: unknown, expected: unknown, message?: string | Error): void {
  if (!isDeepStrictEqual(actual, expected)) {
    const otherwise = `${show(actual)} is not deeply ${show(expected)}`
    failed(message, otherwise, { actual, expected, operator: 'deepStrictEqual' })
  }
}

export function notDeepEqual(actual: unknown, expected: unknown, message?: string | Error): void {
  if (isDeepStrictEqual(actual, expected)) {
    failed(message, `is deeply ${show(expected)}`, { actual, expected, operator: 'notDeepStrictEqual' })
  }
}

export function match(text: string, pattern: RegExp, message?: string | Error): void {
  if (typeof text !== 'string' || text.search(pattern) < 0) {
    failed(message, `${show(text)} does not match ${pattern}`, { actual: text, expected: pattern, operator: 'match' })
  }
}

export function doesNotMatch(text: string, pattern: RegExp, message?: string | Error): void {
  if (typeof text !== 'string' || text.search(pattern) >= 0) {
    const otherwise = `${show(text)} matches ${pattern}`
    failed(message, otherwise, { actual: text, expected: pattern, operator: 'doesNotMatch' })
  }
}

export function throws(call: () => unknown, check?: Check | string, message?: string | Error): void {
  let thrown: { error: unknown } | undefined
  try {
    call()
  } catch (error) {
    thrown = { error }
  }
  examine('throws', 'exception', thrown, check, message)
}

export async function rejects(
  call: Promise<unknown> | (() => unknown),
  check?: Check | string,
  message?: string | Error,
): Promise<void> {
  const promise = typeof call === 'function' ? call() : call
  if (!isThenable(promise)) throw new TypeError(`rejects wants a promise, or a function that returns one`)
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  examine('rejects', 'rejection', thrown, check, message)
}

export function doesNotThrow(call: () => unknown, message?: string | Error): void {
  try {
    call()
  } catch (error) {
    failed(message, `Got unwanted exception: ${show(error)}`, { actual: error, operator: 'doesNotThrow' })
  }
}

const isThenable = (value: unknown): value is Promise<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function'

function examine(
  operator: string,
  what: string,
  thrown: { error: unknown } | undefined,
  check: Check | string | undefined,
  message: Message,
): void {
  // A string is the message, as in node:assert.
  const [wanted, text] = typeof check === 'string' ? [undefined, check] : [check, message]
  if (!thrown) failed(text, `Missing expected ${what}`, { expected: wanted, operator })
  if (wanted === undefined) return
  const { error } = thrown
  const wrong = mismatch(error, wanted)
  if (wrong !== undefined) failed(text, `${wrong}: ${show(error)}`, { actual: error, expected: wanted, operator })
}

/** What is wrong with the error; undefined if nothing is. */
function mismatch(error: unknown, check: Check): string | undefined {
  if (check instanceof RegExp) return String(error).search(check) < 0 ? `does not match ${check}` : undefined
  if (typeof check === 'function') {
    if (check.prototype !== undefined && error instanceof (check as new () => unknown)) return undefined
    if (check === Error || check.prototype instanceof Error) return `is no ${check.name}`
    const verdict = (check as (error: unknown) => unknown).call({}, error)
    return verdict === true ? undefined : `the function that checks it returned ${show(verdict)}, not true`
  }
  if (typeof error !== 'object' || error === null) return `is not like ${show(check)}`
  const keys = Object.keys(check)
  if (check instanceof Error) keys.push('name', 'message')
  else if (keys.length === 0) throw new TypeError('an empty object checks nothing')
  for (const key of keys) {
    const wanted = (check as Record<string, unknown>)[key]
    const got = (error as Record<string, unknown>)[key]
    const fits =
      key in error &&
      (wanted instanceof RegExp && typeof got === 'string' ? got.search(wanted) >= 0 : isDeepStrictEqual(got, wanted))
    if (!fits) return `${key} is ${show(got)}, not ${show(wanted)}`
  }
  return undefined
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (ArrayBuffer.isView(value) || Array.isArray(value)) {
    const list = value as unknown as ArrayLike<unknown>
    const first = Array.from({ length: Math.min(list.length ?? 0, 8) }, (_, i) => show(list[i]))
    return `${value.constructor.name}(${list.length}) [${first.join(', ')}${list.length > 8 ? ', …' : ''}]`
  }
  if (typeof value === 'object' && value !== null && !(value instanceof RegExp)) {
    try {
      return JSON.stringify(value)?.slice(0, 400) ?? String(value)
    } catch {
      return Object.prototype.toString.call(value)
    }
  }
  return Object.is(value, -0) ? '-0' : String(value)
}

export default {
  AssertionError,
  fail,
  ok,
  equal,
  notEqual,
  deepEqual,
  notDeepEqual,
  match,
  doesNotMatch,
  throws,
  rejects,
  doesNotThrow,
}
export { AssertionError }
