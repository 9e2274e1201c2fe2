import { deepEqual } from 'node:assert/strict'
import { activationFlops } from '../../kernels/activation.ts'
import { allCases } from '../../kernels/cases.ts'
import { createReferenceDevice } from '../../runtime/reference/device.ts'

/** What the benchmark divides by: multiply-adds count 2, every operand is moved once. */
const costs: readonly [string, string, { flops: number; bytes: number }][] = [
  ['linear', '3x64x192', { flops: 2 * 3 * 64 * 192, bytes: 4 * (3 * 64 + 64 * 192 + 3 * 192) }],
  ['linear', 'f16 weights 3x64x192', { flops: 2 * 3 * 64 * 192, bytes: 4 * (3 * 64 + 3 * 192) + 2 * 64 * 192 }],
  [
    'linear',
    'no rows, gate, residual', // the weight alone
    { flops: 0, bytes: 4 * 33 * 40 },
  ],
  [
    'linear',
    'fused: gate silu, residual',
    {
      flops: 2 * 19 * 37 * 70 + (activationFlops + 1) * 19 * 35,
      bytes: 4 * (19 * 37 + 37 * 70 + 2 * 19 * 35),
    },
  ],
  ['attention', 'head dim 64', { flops: 4 * 192 * (37 ** 2 + 6 ** 2), bytes: 4 * 43 * 192 * 4 }],
  ['layer-norm', '65 rows', { flops: 8 * 65 * 24, bytes: 8 * 65 * 24 }],
  ['embedding', 'f16 tables', { flops: 9 * 7 * 65, bytes: 6 * 7 * 65 }],
  ['gated-linear-unit', 'silu: 67 rows', { flops: (activationFlops + 1) * 67 * 12, bytes: 12 * 67 * 12 }],
  ['rotary', 'no columns left over', { flops: 3 * 7 * 64, bytes: 8 * 7 * 64 + 8 * 10 * 8 }],
  [
    'patch-embed',
    'f16 weight', // 9 patches of 48 numbers in each of 2 images
    { flops: 2 * 2 * 9 * 33 * 48, bytes: 4 * (2 * 3 * 144 + 10 * 33 + 2 * 10 * 33) + 2 * 33 * 48 },
  ],
  ['mean-pool', '64 wide', { flops: 20 * 64, bytes: 4 * 23 * 64 }],
  ['mean-pool', 'lengths mixed, at most 64 tokens', { flops: (1 + 2 + 63 + 3 * 64) * 40, bytes: 4 * 264 * 40 }],
  ['l2-normalize', '768 cut to 512', { flops: 3 * 3 * 512, bytes: 8 * 3 * 512 }],
  ['cast', 'f32 to f16: more than 16384 elements', { flops: 3 * 83 * 67, bytes: 6 * 3 * 83 * 67 }],
]

describe('what operations cost', () => {
  for (const [operation, name, expected] of costs) {
    it(`${operation}: ${name}`, async () => {
      const item = allCases().find((other) => other.operation === operation && other.name === name)!
      const device = createReferenceDevice({})
      const loaded = await item.load(device, item.data())
      const scope = device.scope()
      loaded.record(scope)
      const command = scope.commands[0]!
      const flops = command.operation.flops(command.parameters)
      deepEqual({ flops, bytes: command.operation.bytes(command.parameters) }, expected)
      device.dispose()
    })
  }
})
