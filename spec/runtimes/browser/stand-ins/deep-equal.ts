/**
 * Equality as node:assert's deepStrictEqual has it: primitives by Object.is; objects by prototype, tag, own enumerable keys
 * (symbols too) and their values; typed arrays and buffers by their bytes; errors by name, message, cause and errors; Maps and
 * Sets regardless of order; cycles by their shape. What has no content to look at (functions, promises, WeakMaps) is equal to
 * itself only.
 */
export function isDeepStrictEqual(a: unknown, b: unknown): boolean {
  return same(a, b, new Map())
}

/** Pairs that are being compared further up: a cycle is equal if the rest is. */
type Pairs = Map<object, Set<object>>

const opaque = ['Function', 'AsyncFunction', 'GeneratorFunction', 'Promise', 'WeakMap', 'WeakSet', 'WeakRef']

const tagOf = (value: object) => Object.prototype.toString.call(value).slice(8, -1)

function same(a: unknown, b: unknown, pairs: Pairs): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false
  const tag = tagOf(a)
  if (tag !== tagOf(b) || opaque.includes(tag)) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const under = pairs.get(a) ?? new Set()
  if (under.has(b)) return true
  pairs.set(a, under.add(b))
  try {
    return sameContent(a, b, pairs) && sameProperties(a, b, pairs)
  } finally {
    under.delete(b)
  }
}

/** What properties do not show. */
function sameContent(a: object, b: object, pairs: Pairs): boolean {
  if (ArrayBuffer.isView(a)) return ArrayBuffer.isView(b) && sameBytes(bytesOf(a), bytesOf(b))
  if (isBuffer(a)) return isBuffer(b) && sameBytes(new Uint8Array(a), new Uint8Array(b))
  if (a instanceof Date) return b instanceof Date && Object.is(a.getTime(), b.getTime())
  if (a instanceof RegExp) return b instanceof RegExp && String(a) === String(b) && a.lastIndex === b.lastIndex
  if (a instanceof Error) {
    if (!(b instanceof Error) || a.name !== b.name || a.message !== b.message) return false
    if ('cause' in a !== 'cause' in b) return false
    return same(a.cause, b.cause, pairs) && same(listOf(a), listOf(b), pairs)
  }
  if (a instanceof Map) return b instanceof Map && sameMap(a, b, pairs)
  if (a instanceof Set) return b instanceof Set && sameMembers([...a], [...b], pairs)
  if (
    a instanceof Number ||
    a instanceof String ||
    a instanceof Boolean ||
    a instanceof BigInt ||
    a instanceof Symbol
  ) {
    return Object.is(a.valueOf(), b.valueOf())
  }
  if (Array.isArray(a)) return a.length === (b as unknown[]).length
  return true
}

function sameProperties(a: object, b: object, pairs: Pairs): boolean {
  // The elements of views were compared as bytes.
  const keysOf = (value: object) => [
    ...(ArrayBuffer.isView(value) ? Object.keys(value).slice(lengthOf(value)) : Object.keys(value)),
    ...Object.getOwnPropertySymbols(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key)),
  ]
  const keys = keysOf(a)
  if (keys.length !== keysOf(b).length) return false
  return keys.every(
    (key) =>
      Object.prototype.propertyIsEnumerable.call(b, key) &&
      same((a as Record<PropertyKey, unknown>)[key], (b as Record<PropertyKey, unknown>)[key], pairs),
  )
}

function sameMap(a: Map<unknown, unknown>, b: Map<unknown, unknown>, pairs: Pairs): boolean {
  return a.size === b.size && sameMembers([...a], [...b], pairs)
}

function sameMembers(a: readonly unknown[], b: readonly unknown[], pairs: Pairs): boolean {
  if (a.length !== b.length) return false
  const left = [...b]
  return a.every((member) => {
    const at = left.findIndex((other) => same(member, other, pairs))
    if (at >= 0) left.splice(at, 1)
    return at >= 0
  })
}

const isBuffer = (value: object): value is ArrayBuffer => /^(Shared)?ArrayBuffer$/.test(tagOf(value))

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength)

const lengthOf = (view: ArrayBufferView) => (view as Partial<Uint8Array>).length ?? 0

const listOf = (error: Error) => (error as Partial<AggregateError>).errors

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
