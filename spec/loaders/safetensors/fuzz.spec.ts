import assert from 'node:assert/strict'
import fc from 'fast-check'
import { bitsPerElement, byteLength, type SafetensorsDtype } from '../../../loaders/safetensors/dtypes.ts'
import { encodeSafetensors } from '../../../loaders/safetensors/write.ts'
import { BareclipError } from '../../../runtime/errors.ts'
import { goldenBytes, open } from './files.ts'

/** Opens `bytes`: either refused with our error, or consistent with itself and with JSON.parse. True if it was taken. */
async function checked(bytes: Uint8Array): Promise<boolean> {
  const file = await open(bytes).catch((error: unknown) => {
    assert.ok(error instanceof BareclipError, `${error}`)
    assert.equal(error.code, 'INVALID_SAFETENSORS')
    assert.ok(error.message.length < 600, 'a short message')
    return undefined
  })
  if (!file) return false
  const dataStart = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const text = new TextDecoder().decode(bytes.subarray(8, dataStart))
  const header = JSON.parse(text)
  let end = dataStart
  for (const entry of file.tensors.values()) {
    assert.equal(entry.begin, end)
    assert.equal(entry.end - entry.begin, byteLength(entry.dtype, entry.shape))
    end = entry.end
    assert.equal((await file.read(entry.name)).length, entry.end - entry.begin)
  }
  assert.equal(end, bytes.length)
  // JSON.parse is no judge of names with escapes: in node 24.21 '{"a":1,"\\"":2}' gives the key \ once an object with the
  // keys a and \ has been parsed.
  if (text.includes('\\')) return true
  for (const { name, dtype, shape, begin, end } of file.tensors.values()) {
    const data_offsets = [begin - dataStart, end - dataStart]
    assert.deepEqual(Object.getOwnPropertyDescriptor(header, name)?.value, { dtype, shape, data_offsets })
  }
  const names = Object.keys(header).filter((name) => name !== '__metadata__')
  assert.equal(file.tensors.size, names.length)
  return true
}

const small = encodeSafetensors(
  [
    { name: 'a', dtype: 'F16', shape: [2, 3], bytes: () => new Uint8Array(12).fill(1) },
    { name: 'empty', dtype: 'F32', shape: [0], bytes: () => new Uint8Array(0) },
    { name: 'scalar', dtype: 'F32', shape: [], bytes: () => new Uint8Array(4).fill(2) },
  ],
  { format: 'pt' },
)
const dtypes = Object.keys(bitsPerElement) as SafetensorsDtype[]

describe('safetensors under fuzz', () => {
  it('takes the whole file and refuses it cut at any byte', async () => {
    assert.ok(await checked(small))
    for (let length = 0; length < small.length; length++) {
      assert.equal(await checked(small.subarray(0, length)), false, `cut at ${length}`)
    }
  })

  it('refuses a checkpoint cut at every 64 bytes of its header and in its data', async () => {
    const bytes = goldenBytes('tiny-a/model.safetensors')
    const dataStart = 8 + bytes[0]! + 256 * bytes[1]!
    const cuts = [
      dataStart - 1,
      dataStart,
      dataStart + 1,
      dataStart + 3,
      bytes.length >> 1,
      bytes.length - 4,
      bytes.length - 1,
    ]
    for (let length = 0; length < dataStart; length += 64) cuts.push(length)
    for (const length of cuts) assert.equal(await checked(bytes.subarray(0, length)), false, `cut at ${length}`)
  })

  it('refuses a file with bytes after its data', async () => {
    for (const extra of [1, 8, 4096]) {
      const bytes = new Uint8Array(small.length + extra)
      bytes.set(small)
      assert.equal(await checked(bytes), false)
    }
  })

  it('survives any change of a byte of the length and the header', async () => {
    const dataStart = small.length - 16
    for (let at = 0; at < dataStart; at++) {
      for (const value of [0, 0x20, 0x22, 0x2c, 0x30, 0x39, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x80, 0xff]) {
        const bytes = small.slice()
        bytes[at] = value
        await checked(bytes)
      }
    }
  })

  it('survives headers with pieces inserted, removed and doubled', async () => {
    const dataStart = small.length - 16
    const text = new TextDecoder().decode(small.subarray(8, dataStart))
    const piece = fc.oneof(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '\\',
        ' ',
        '-',
        '1',
        '0',
        'e',
        '.',
        'null',
        '"a":',
        '"shape":[2],',
      ),
      fc.constantFrom(
        '9007199254740993',
        '1e400',
        '"__metadata__":{},',
        '"__proto__":',
        '\\ud800',
        '\u0000',
        '"dtype":"F32",',
      ),
      fc.string(),
    )
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.nat(12), piece, async (at, removed, inserted) => {
        const header = new TextEncoder().encode(text.slice(0, at) + inserted + text.slice(at + removed))
        const bytes = new Uint8Array(8 + header.length + 16)
        new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true)
        bytes.set(header, 8)
        await checked(bytes)
      }),
      { numRuns: 3000 },
    )
  })

  it('survives arbitrary JSON and arbitrary bytes as the header', async () => {
    const header = fc.oneof(
      fc.json().map((text) => new TextEncoder().encode(text)),
      fc.uint8Array({ maxLength: 40 }),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.of(0x7b, ...bytes)),
    )
    await fc.assert(
      fc.asyncProperty(header, fc.nat(8), async (json, dataBytes) => {
        const bytes = new Uint8Array(8 + json.length + dataBytes)
        new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
        bytes.set(json, 8)
        await checked(bytes)
      }),
      { numRuns: 2000 },
    )
  })

  it('reads back whatever can be written', async () => {
    const layout = fc.record({
      dtype: fc.constantFrom(...dtypes),
      shape: fc.array(fc.nat(4), { maxLength: 4 }),
    })
    const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '', '0', '\\', '"'))
    const layouts = fc.uniqueArray(fc.tuple(name, layout), { selector: ([name]) => name, maxLength: 6 })
    const metadata = fc.option(fc.dictionary(name, fc.string({ unit: 'binary' })), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(layouts, metadata, fc.nat(255), async (layouts, metadata, fill) => {
        const tensors = layouts
          .filter(([name, { dtype, shape }]) => name !== '__metadata__' && byteLength(dtype, shape) !== undefined)
          .map(([name, { dtype, shape }], i) => {
            const data = new Uint8Array(byteLength(dtype, shape)!).fill(fill + i)
            return { name, dtype, shape, data, bytes: () => data }
          })
        const bytes = encodeSafetensors(tensors, metadata)
        assert.ok(await checked(bytes))
        const file = await open(bytes)
        assert.deepEqual(Object.entries(file.metadata), Object.entries(metadata ?? {}))
        for (const { name, dtype, shape, data } of tensors) {
          const entry = file.tensors.get(name)
          assert.deepEqual([entry?.dtype, entry?.shape], [dtype, shape])
          assert.deepEqual(new Uint8Array(await file.read(name)), data)
        }
      }),
      { numRuns: 500 },
    )
  })
})
