type Encoding = 'utf8' | 'latin1' | 'base64' | 'hex'

/** node:buffer, as much of it as the specs use. */
export class Buffer extends Uint8Array<ArrayBuffer> {
  static override from(value: unknown, encoding: unknown = 'utf8'): Buffer {
    if (typeof value === 'string') return fromText(value, encoding as Encoding)
    if (isArrayBuffer(value)) return new Buffer(value)
    const list = value as ArrayLike<number>
    const bytes = Buffer.alloc(list.length)
    bytes.set(list)
    return bytes
  }

  static alloc(length: number, fill = 0): Buffer {
    return new Buffer(new ArrayBuffer(length)).fill(fill)
  }

  static concat(parts: readonly Uint8Array[]): Buffer {
    const whole = Buffer.alloc(parts.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    return whole
  }

  /** A view, as all of Node's are. */
  override subarray(start?: number, end?: number): Buffer {
    const { buffer, byteOffset, length } = super.subarray(start, end)
    return new Buffer(buffer, byteOffset, length)
  }

  override indexOf(value: number, from?: number): number {
    if (typeof value !== 'number') throw new Error('this stand-in looks for bytes only')
    return super.indexOf(value, from)
  }

  equals(other: Uint8Array): boolean {
    return this.length === other.length && this.every((byte, i) => byte === other[i])
  }

  readBigUInt64LE(offset = 0): bigint {
    return new DataView(this.buffer, this.byteOffset, this.byteLength).getBigUint64(offset, true)
  }

  override toString(encoding: Encoding = 'utf8', start = 0, end = this.length): string {
    const part = this.subarray(start, end)
    if (encoding === 'utf8') return new TextDecoder('utf-8', { ignoreBOM: true }).decode(part)
    if (encoding === 'hex') return Array.from(part, (byte) => byte.toString(16).padStart(2, '0')).join('')
    let text = ''
    for (const byte of part) text += String.fromCharCode(byte)
    if (encoding === 'latin1') return text
    if (encoding === 'base64') return btoa(text)
    throw new Error(`no encoding ${encoding} in this stand-in`)
  }
}

function fromText(text: string, encoding: Encoding): Buffer {
  if (encoding === 'utf8') return Buffer.from(new TextEncoder().encode(text))
  if (encoding === 'hex') return Buffer.from((text.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)))
  if (encoding !== 'latin1' && encoding !== 'base64') throw new Error(`no encoding ${encoding} in this stand-in`)
  const plain = encoding === 'base64' ? atob(text) : text
  return Buffer.from(Array.from(plain, (character) => character.charCodeAt(0)))
}

const isArrayBuffer = (value: unknown): value is ArrayBuffer =>
  /Array ?Buffer\]$/.test(Object.prototype.toString.call(value))
