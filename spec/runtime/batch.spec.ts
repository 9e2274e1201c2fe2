import { deepEqual, equal, throws } from 'node:assert/strict'
import { equalBatch, raggedBatch } from '../../runtime/batch.ts'

describe('ragged batch', () => {
  it('lays sequences end to end and keeps their positions', () => {
    const batch = raggedBatch([[5], [0, 2, 9000], [0, 1]])
    deepEqual(batch, {
      tokens: 6,
      sequences: 3,
      offsets: Int32Array.of(0, 1, 4, 6),
      positions: Int32Array.of(5, 0, 2, 9000, 0, 1),
      longest: 3,
    })
  })

  it('no sequences, and sequences without tokens', () => {
    const none = { tokens: 0, longest: 0, positions: new Int32Array(0) }
    deepEqual(raggedBatch([]), { ...none, sequences: 0, offsets: Int32Array.of(0) })
    deepEqual(raggedBatch([[], []]), { ...none, sequences: 2, offsets: Int32Array.of(0, 0, 0) })
    deepEqual(raggedBatch([[], [4], []]).offsets, Int32Array.of(0, 0, 1, 1))
  })

  it('refuses positions that do not ascend: attention leaves keys out by their distance', () => {
    const refused = (message: string) => ({ code: 'INVALID_ARGUMENT', message })
    const text = 'expected positions that ascend, found'
    throws(() => raggedBatch([[0], [0, 2, 1]]), refused(`${text} 2 before 1 in sequence 1`))
    throws(() => raggedBatch([[3, 3]]), refused(`${text} 3 before 3 in sequence 0`))
  })

  it('copies what it is given', () => {
    const positions = Int32Array.of(0, 1)
    const batch = raggedBatch([positions])
    positions[1] = 7
    deepEqual(batch.positions, Int32Array.of(0, 1))
  })

  it('equal lengths count from 0 in each', () => {
    const batch = equalBatch(3, 2)
    deepEqual(batch, raggedBatch([Int32Array.of(0, 1), Int32Array.of(0, 1), Int32Array.of(0, 1)]))
    equal(equalBatch(0, 197).tokens, 0)
    equal(equalBatch(5, 0).sequences, 5)
    throws(() => equalBatch(-1, 3), /bareclip bug/)
    throws(() => equalBatch(3, -1), /bareclip bug/)
  })
})
