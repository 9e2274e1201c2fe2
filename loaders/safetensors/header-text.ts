/** A tensor as the header words it: types are checked, values are not. */
export interface RawEntry {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  readonly dataOffsets: readonly number[]
}

export interface RawHeader {
  readonly entries: readonly RawEntry[]
  readonly metadata: Readonly<Record<string, string>>
}

/** A name in a message: escaped, and cut where it is absurdly long. */
export function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name)
}

/** What is wrong with the text, and in which tensor's entry. */
export class HeaderSyntaxError extends Error {}

/**
 * Reads the JSON of a safetensors header, and nothing but that: one object of entries {dtype, shape, data_offsets} and
 * perhaps __metadata__, an object of strings. JSON.parse would keep the last of two equal names, which another reader may
 * not; here any name said twice is an error, as are numbers with a sign, fraction or exponent.
 */
export function parseHeader(text: string): RawHeader {
  let at = 0
  let subject = 'the header'

  function fail(expected: string): never {
    const found = at < text.length ? JSON.stringify(text.slice(at, at + 24)) : 'its end'
    throw new HeaderSyntaxError(`${subject}: expected ${expected} at character ${at}, found ${found}`)
  }

  function skipSpace(): void {
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    }
  }

  function accept(token: string): boolean {
    skipSpace()
    if (text[at] !== token) return false
    at++
    return true
  }

  function expect(token: string): void {
    if (!accept(token)) fail(`'${token}'`)
  }

  function string(what: string): string {
    skipSpace()
    const start = at
    if (text[at] !== '"') fail(what)
    let end = at + 1
    let escaped = false
    for (; text[end] !== '"'; end++) {
      if (end >= text.length) fail(`${what} with its closing quote`)
      if (text[end] === '\\') {
        escaped = true
        end++
      }
    }
    const literal = text.slice(start, end + 1)
    let value: string
    try {
      value = JSON.parse(literal)
    } catch {
      fail(`${what} that is valid JSON`)
    }
    if (escaped && /\p{Surrogate}/u.test(value)) fail(`${what} without lone surrogates`)
    at = end + 1
    return value
  }

  function integer(): number {
    skipSpace()
    const start = at
    while (text.charCodeAt(at) >= 0x30 && text.charCodeAt(at) <= 0x39) at++
    const digits = text.slice(start, at)
    const value = Number(digits)
    const ended = text[at] === undefined || /[\s,\]}]/.test(text[at]!)
    if (digits === '' || !ended || !Number.isSafeInteger(value) || (digits[0] === '0' && digits.length > 1)) {
      at = start
      fail('an integer from 0 to 2^53 - 1')
    }
    return value
  }

  function integers(): number[] {
    expect('[')
    const values: number[] = []
    if (accept(']')) return values
    do values.push(integer())
    while (accept(','))
    expect(']')
    return values
  }

  /** `member` reads what follows the colon. */
  function object(member: (key: string) => void): void {
    expect('{')
    if (accept('}')) return
    const seen = new Set<string>()
    const outer = subject
    do {
      skipSpace()
      const start = at
      const key = string('a name in double quotes')
      if (seen.has(key)) {
        at = start
        fail('each name once')
      }
      seen.add(key)
      expect(':')
      member(key)
      subject = outer
    } while (accept(','))
    expect('}')
  }

  function entry(name: string): RawEntry {
    subject = `tensor ${quote(name)}`
    const found: { dtype?: string; shape?: number[]; dataOffsets?: number[] } = {}
    object((key) => {
      if (key === 'dtype') found.dtype = string('a dtype in double quotes')
      else if (key === 'shape') found.shape = integers()
      else if (key === 'data_offsets') found.dataOffsets = integers()
      else fail(`only dtype, shape and data_offsets, not ${quote(key)},`)
    })
    const { dtype, shape, dataOffsets } = found
    if (dtype === undefined) fail('a dtype before the end of the entry')
    if (shape === undefined) fail('a shape before the end of the entry')
    if (dataOffsets?.length !== 2) fail('data_offsets of two integers before the end of the entry')
    return { name, dtype, shape, dataOffsets }
  }

  const entries: RawEntry[] = []
  const metadata: [string, string][] = []
  if (text[0] !== '{') fail("'{'")
  object((name) => {
    if (name === '__metadata__') {
      subject = '__metadata__'
      object((key) => metadata.push([key, string('a string in double quotes')]))
    } else {
      entries.push(entry(name))
    }
  })
  skipSpace()
  if (at < text.length) fail('nothing but spaces after the last brace')
  return { entries, metadata: Object.fromEntries(metadata) } // fromEntries: a key __proto__ is a key like any other
}
