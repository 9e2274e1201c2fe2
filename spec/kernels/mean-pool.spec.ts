import { batchInputs } from '../../kernels/case.ts'
import { type MeanPoolData, meanPoolCases } from '../../kernels/mean-pool/cases.ts'
import { meanPool, meanPoolOperation } from '../../kernels/mean-pool/mean-pool.ts'
import { equalBatch, raggedBatch } from '../../runtime/batch.ts'
import { assertRefused, itComputes, itKeepsBits, onEveryDevice, type Part } from './check.ts'
import { matrixOf, meanOf } from './naive.ts'

function expected({ batch, hidden, x, count }: MeanPoolData) {
  const rows = matrixOf(x, hidden)
  return Array.from({ length: batch.sequences }, (_, s) => {
    const tokens = rows.slice(batch.offsets[s], batch.offsets[s + 1])
    return meanOf(count === undefined ? tokens : tokens.slice(0, count), hidden)
  })
}

const sequencesAlone = (data: MeanPoolData): Part<MeanPoolData>[] =>
  Array.from({ length: data.batch.sequences }, (_, s) => {
    const [from, to] = [data.batch.offsets[s]!, data.batch.offsets[s + 1]!]
    const batch = raggedBatch([data.batch.positions.slice(from, to)])
    return { at: s * data.hidden, data: { ...data, batch, x: data.x.slice(from * data.hidden, to * data.hidden) } }
  })

onEveryDevice('mean pooling', 'mean-pool', (device, under) => {
  itComputes(device, under, meanPoolCases(), expected)
  itKeepsBits(device, meanPoolCases(), sequencesAlone)

  it('refuses tensors that do not fit, sequences without tokens and counts below 1', () => {
    const scope = device().scope()
    try {
      const batch = batchInputs(scope, equalBatch(2, 5))
      const x = scope.scratch('x', [10, 8])
      meanPool(scope, x, batch, 1)
      assertRefused(
        () => meanPool(scope, scope.scratch('x', [9, 8]), batch),
        'SHAPE_MISMATCH',
        'mean-pool x: expected shape (10, 8), found (9, 8) in x',
      )
      assertRefused(
        () => scope.record(meanPoolOperation, { x, batch, y: scope.scratch('y', [2, 7]) }),
        'SHAPE_MISMATCH',
        'mean-pool y: expected shape (2, 8), found (2, 7) in y',
      )
      assertRefused(
        () => meanPool(scope, x, batchInputs(scope, raggedBatch([[0, 1, 2, 3, 4, 5, 6], [], [0, 1, 2]]))),
        'SHAPE_MISMATCH',
        'mean-pool: sequence 1 has no tokens: leave it out of the batch',
      )
      for (const count of [0, -1, 1.5, Number.NaN]) {
        assertRefused(
          () => meanPool(scope, x, batch, count),
          'INVALID_ARGUMENT',
          `mean-pool count: expected a whole number from 1, found ${count}`,
        )
      }
    } finally {
      scope.end()
    }
  })
})
