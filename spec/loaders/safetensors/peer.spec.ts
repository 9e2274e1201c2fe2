import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { encodeSafetensors } from '../../../loaders/safetensors/write.ts'
import { goldenBytes, open } from './files.ts'

// The npm package checks nothing, throws on __metadata__ and ignores byteOffset, so it gets files without metadata that
// start their buffer.
interface Peer {
  readonly metadata: Map<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>
  getTensor(name: string): Uint8Array
}
const { SafeTensor } = createRequire(import.meta.url)('safetensors') as { SafeTensor: new (bytes: Uint8Array) => Peer }

describe('safetensors against the npm package', () => {
  for (const path of ['ops/ops.safetensors', 'tiny-a/outputs.safetensors', 'tiny-b/trace-text.safetensors']) {
    it(`reads ${path} alike`, async () => {
      const bytes = new Uint8Array(goldenBytes(path)) // its own buffer: small files share node's pool
      const ours = await open(bytes)
      const theirs = new SafeTensor(bytes)
      assert.deepEqual([...ours.tensors.keys()].sort(), [...theirs.metadata.keys()].sort())
      for (const [name, { dtype, shape, begin, end }] of ours.tensors) {
        assert.deepEqual(theirs.metadata.get(name), { dtype, shape, data_offsets: [begin, end] })
        assert.ok(Buffer.from(await ours.read(name)).equals(theirs.getTensor(name)))
      }
    })
  }

  it('it reads what we write', () => {
    const values = Float32Array.of(1, -2, 0.5)
    const bytes = encodeSafetensors([
      { name: 'flags', dtype: 'BOOL', shape: [2], bytes: () => Uint8Array.of(1, 0) },
      { name: 'values', dtype: 'F32', shape: [3, 1], bytes: () => new Uint8Array(values.buffer) },
    ])
    const peer = new SafeTensor(bytes)
    assert.deepEqual([...peer.getTensor('flags')], [1, 0])
    assert.deepEqual([...new Float32Array(peer.getTensor('values').slice().buffer)], [...values])
  })
})
