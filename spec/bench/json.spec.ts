import assert from 'node:assert/strict'
import { casesNamed } from '../../bench/cases.ts'
import { benchKernels } from '../../bench/kernels/kernels.ts'
import { machine } from '../../bench/machine.ts'
import { benchModel } from '../../bench/model/model.ts'
import type { Contender } from '../../bench/peers/contender.ts'
import { comparePeers } from '../../bench/peers/peers.ts'
import { wasmKernels } from '../../kernels/wasm.ts'
import { documentedSchemas, undocumented } from './documented.ts'

describe('bench: JSON as documented in docs/bench-json.md', () => {
  it('every schema has a table', () => {
    assert.deepEqual(
      documentedSchemas.map((name) => name.replace(/^bareclip-bench-/, '')),
      ['kernels-1', 'model-1', 'peers-1', 'scaling-1', 'load-1', 'precision-1', 'parts-1'],
    )
  })

  it('kernels, right ones and a wrong one', async () => {
    const l2Normalize: (typeof wasmKernels)['l2-normalize'] = (parameters, access) =>
      wasmKernels['l2-normalize']({ ...parameters, y: { ...parameters.y, offset: parameters.y.offset + 1 } }, access)
    const report = await benchKernels({
      machine: machine(),
      operations: ['mean-pool', 'l2-normalize'],
      shapes: ['2x30'],
      devices: ['reference', 'wasm'],
      quick: true,
      tables: { wasm: { ...wasmKernels, 'l2-normalize': l2Normalize } },
    })
    assert.deepEqual(new Set(report.kernels.map(({ verdict }) => typeof verdict)), new Set(['string', 'object']))
    assert.deepEqual(undocumented(report), [])
  })

  it('model', async () => {
    const report = await benchModel({ device: 'wasm', cases: casesNamed(['1x16', 'image-1', '1x512']), runs: 1 })
    assert.ok(report.cases.some(({ msWhole }) => msWhole))
    assert.deepEqual(undocumented(report), [])
  })

  it('peers', async () => {
    const contender = (name: string, ms: number): Contender => ({
      ...{ name, title: name, missing: undefined },
      ask: async () => ({ ms, memory: { rss: 1, peakRss: 2 }, rows: [[1, 0]] }),
      stop: async () => {},
    })
    const report = await comparePeers([contender('ours-f32', 1)], [contender('web-f32', 2)], {
      ...{ cases: casesNamed(['1x16']), rounds: 2, force: false, print: () => {} },
    })
    const head = { schema: 'bareclip-bench-peers-1', machine: machine(), date: new Date().toISOString(), settings: {} }
    assert.deepEqual(undocumented({ ...head, ...report }), [])
  })

  it('tells what is missing, what is more and what has another type', () => {
    const spread = { median: 1, least: 1, most: 1 }
    const report = {
      ...{ schema: 'bareclip-bench-load-1', machine: machine(), date: '2026-01-01', settings: {} },
      ...{ runs: [], ms: { ...spread, mean: 1 }, peakRss: { median: 1, least: '1' } },
    }
    assert.deepEqual(undocumented(report), [
      'ms.mean is not documented',
      'peakRss.least is "1", documented as number',
      'peakRss.most is missing',
    ])
  })
})
