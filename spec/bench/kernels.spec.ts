import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import type { Cli } from '../../apps/cli/cli.ts'
import { benchKernelsCommand } from '../../apps/cli/commands/bench/kernels.ts'
import { benchKernels } from '../../bench/kernels/kernels.ts'
import { kernelOperations } from '../../bench/kernels/options.ts'
import { risenText } from '../../bench/kernels/print.ts'
import type { KernelEntry, KernelReport, TimedKernel } from '../../bench/kernels/report.ts'
import { machine } from '../../bench/machine.ts'
import { linearWasm } from '../../kernels/linear/wasm.ts'
import type { MeanPoolParameters } from '../../kernels/mean-pool/mean-pool.ts'
import { meanPoolWebgpu } from '../../kernels/mean-pool/webgpu.ts'
import { wasmKernels } from '../../kernels/wasm.ts'
import { webgpuKernels } from '../../kernels/webgpu.ts'
import { rowsOf } from '../../runtime/tensor.ts'
import type { WasmTable } from '../../runtime/wasm/kernel.ts'
import type { WebgpuTable } from '../../runtime/webgpu/kernel.ts'
import { cli, inFolder } from '../apps/cli-run.ts'
import { casesOnly, findGpu } from '../webgpu.ts'

const table = (linear: typeof linearWasm): WasmTable => ({ ...wasmKernels, linear })

/** Right but for its bias. */
const unbiased = table((parameters, access) => linearWasm({ ...parameters, bias: undefined }, access))
/** Right for as many rows as the awkward cases have. */
const shortSighted = table((parameters, access) => {
  const { x, y } = parameters
  const few = Math.min(200, x.shape[0]!)
  return linearWasm({ ...parameters, residual: undefined, x: rowsOf(x, 0, few), y: rowsOf(y, 0, few) }, access).concat(
    linearWasm({ ...parameters }, access).filter(() => parameters.residual !== undefined || few < 200),
  )
})
const throwing = table(() => {
  throw new Error('no such tile')
})

/** Takes the first token for the mean of all. */
const firstTokens: WebgpuTable = {
  ...webgpuKernels,
  'mean-pool': (parameters: MeanPoolParameters, access) => meanPoolWebgpu({ ...parameters, count: 1 }, access),
}

/** The command with another table of kernels. */
async function command(args: readonly string[], wasm: WasmTable): Promise<{ out: string; codes: number[] }> {
  let out = ''
  const codes: number[] = []
  const own: Partial<Cli> = {
    signal: new AbortController().signal,
    messages: { isTerminal: false, say() {}, progress() {}, clear() {} },
    exit: (code) => codes.push(code),
    async print(text) {
      out += text
    },
  }
  const program = new Command()
  benchKernelsCommand(own as Cli, program, { wasm })
  await program.parseAsync(['kernels', ...args], { from: 'user' })
  return { out, codes }
}

const small = [
  '--op',
  'linear',
  '--shape',
  '33x48x40',
  '--dtype',
  'f32',
  '--device',
  'wasm',
  '--threads',
  '1',
  '--quick',
]

describe('bareclip bench kernels', () => {
  it('prints roofs and one line per variant; --json has the same figures', () =>
    inFolder(async (folder) => {
      const file = join(folder, 'kernels.json')
      const { code, out, err } = await cli(['bench', 'kernels', ...small.slice(0, -1), '--json', file])
      assert.deepEqual([code, err], [0, ''])
      assert.match(out, /^wasm: 1 thread, module .*$/m)
      assert.match(out, /^ {2}multiply-add f32 +[\d.]+ GFLOP\/s {2}\d+ chains/m)
      assert.match(out, /^ {2}copy +[\d.]+ GB\/s {2}read and written/m)
      assert.match(out, /^ {2}33x48x40 bias +f32 +4x8 \w+ .* \d+ % +of multiply-add f32/m)

      const report: KernelReport = JSON.parse(readFileSync(file, 'utf8'))
      assert.equal(report.schema, 'bareclip-bench-kernels-1')
      const names = report.kernels.map(({ variant }) => variant)
      assert.equal(new Set(names).size, names.length)
      assert.ok(names.length >= 3 && names.every((name) => /^\dx8( packed)? (simd|relaxed)$/.test(name)), `${names}`)
      for (const entry of report.kernels as TimedKernel[]) {
        assert.equal(entry.flops, 2 * 33 * 48 * 40)
        assert.equal(entry.bytes, 4 * (33 * 48 + 48 * 40 + 33 * 40))
        assert.equal(entry.bytesWritten, 4 * 33 * 40)
        assert.ok(entry.samples >= 3 && entry.steps === 1)
        const { least, median, most } = entry.ms
        assert.ok(least > 0 && least <= median && median <= most)
        assert.ok(Math.abs(entry.gflopsPerSecond / (entry.flops / median / 1e6) - 1) < 1e-9)
        const { rate } = report.roofs.find(({ name }) => name === entry.roof)!
        if (entry.bound === 'compute') assert.ok(Math.abs(entry.ofRoof / (entry.gflopsPerSecond / rate) - 1) < 1e-9)
      }
    }))

  for (const [what, wasm, message] of [
    [
      'forgets the bias',
      unbiased,
      /wrong: case .*: largest difference [\d.e+]+ of the .* largest value, allowed .*; row \d+, column \d+: .* where the reference has /,
    ],
    ['throws', throwing, /wrong: it failed: no such tile; not timed/],
  ] as const) {
    it(`a linear that ${what} is reported and not timed, with exit code 1`, () =>
      inFolder(async (folder) => {
        const file = join(folder, 'kernels.json')
        const { out, codes } = await command([...small, '--json', file], wasm)
        assert.deepEqual(codes, [1])
        assert.match(out, message)
        const { kernels }: KernelReport = JSON.parse(readFileSync(file, 'utf8'))
        assert.ok(kernels.length >= 3)
        for (const entry of kernels) {
          assert.deepEqual(Object.keys(entry).sort(), ['device', 'dtype', 'name', 'operation', 'variant', 'verdict'])
        }
      }))
  }

  it('one that is wrong only at the size that is timed is found there, in whichever row', async () => {
    const { out, codes } = await command([...small, '--shape', '230x48x40'], shortSighted)
    assert.deepEqual(codes, [1])
    assert.match(out, /230x48x40 bias .* wrong: 230x48x40 bias: largest difference /)
  })

  it('a wrong variant does not keep the right operations from being timed', async () => {
    const { kernels } = await benchKernels({
      ...{ machine: machine(), operations: ['linear', 'layer-norm'], shapes: ['9x48', '9x48x8'], devices: ['wasm'] },
      ...{ dtypes: ['f32'], threads: 1, quick: true, tables: { wasm: unbiased } },
    })
    const right = kernels.filter(({ verdict }) => verdict === 'ok')
    assert.deepEqual([...new Set(right.map(({ operation }) => operation))], ['layer-norm'])
    assert.ok(kernels.length > right.length)
  })

  it('says which roofs a later look found higher: shares of them printed before are too high', () => {
    const roof = { name: 'copy', device: 'wasm', unit: 'GB/s', rate: 20, how: '' } as const
    const lines = risenText([roof], new Map([['copy', 10]])).split('\n')
    assert.equal(lines[0], 'roofs found higher at a later look; shares of them that stand above are too high:')
    assert.match(lines[1]!, /^ {2}copy +20\.0 GB\/s, not 10\.0$/)
  })

  it('every operation has a shape of the models, every variant a time', async () => {
    const names: string[] = []
    const report = await benchKernels({
      ...{ machine: machine(), devices: ['wasm'], threads: 1, quick: true, dtypes: ['f32'] },
      operations: kernelOperations.filter(
        (name) => !['linear', 'attention', 'patch-embed', 'embedding'].includes(name),
      ),
      onEntries: async (entries) => void names.push(entries[0]!.operation),
    })
    assert.deepEqual([...new Set(report.kernels.map(({ operation }) => operation))], names)
    assert.equal(names.length, kernelOperations.length - 4)
    assert.deepEqual(
      report.kernels.filter((entry) => !isComplete(entry)),
      [],
    )
  })

  it('attention runs with leaving out and whole, where that makes a difference', async () => {
    const { kernels } = await benchKernels({
      ...{ machine: machine(), devices: ['wasm'], threads: 1, quick: true, operations: ['attention'] },
      ...{ shapes: ['2x70'], variants: ['whole', 'leaving'] },
    })
    const of = (slopes: boolean) => kernels.filter(({ name }) => name.includes('slopes') === slopes)
    assert.equal(of(true).length, 2 * of(false).length)
    assert.ok(of(false).every(({ variant }) => variant.startsWith('whole ')))
  })

  it('webgpu is validated as well, and timed where it is right', async function () {
    const found = await findGpu()
    if (!('gpu' in found)) {
      assert.ok(!process.env.CI, found.missing)
      this.skip() // npm install in spec/runtimes brings one
    }
    if (casesOnly) this.skip()
    const { kernels, roofs, device } = await benchKernels({
      ...{ machine: machine(), devices: ['webgpu'], gpu: async () => found.gpu, quick: true },
      ...{ operations: ['l2-normalize', 'mean-pool'], shapes: ['3x20'], tables: { webgpu: firstTokens } },
    })
    assert.equal(device.device, 'webgpu')
    assert.deepEqual(
      kernels.map(({ operation, variant, verdict }) => [operation, variant, verdict === 'ok']),
      [
        ['l2-normalize', 'chosen', true],
        ['mean-pool', 'chosen', false],
      ],
    )
    assert.ok(isComplete(kernels[0]!))
    for (const name of ['multiply-add f32', 'copy', 'read']) assert.ok(roofs.some((roof) => roof.name === name))
  })

  it('an abort ends it with its reason', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const done = benchKernels({
      ...{ machine: machine(), devices: ['wasm'], threads: 1, operations: ['layer-norm'] },
      signal: controller.signal,
      onTarget: async () => controller.abort(reason),
    })
    await assert.rejects(done, (error) => error === reason)
  })

  for (const [args, message] of [
    [['--op', 'matmul'], /matmul.*Allowed are linear, attention, .*, cast/],
    [['--dtype', 'f64'], /f64.*Allowed are f32, f16, q12, q8/],
    [['--device', 'cuda'], /cuda.*reference, wasm, webgpu, all/],
    [['--op', 'linear', '--shape', '5x'], /no operation among linear has a shape 5x: linear has rows x in x out/],
    [['--op', 'linear', '--variant', '9x9'], /nothing to measure: no variant has 9x9 in its name/],
    [['--threads', '0'], /integer from 1/],
    [['--json', '/no/such/folder/a.json'], /no such folder/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, () =>
      inFolder(async (folder) => {
        const file = join(folder, 'a.json')
        const json = args[0] === '--json' ? [] : ['--json', file]
        const { code, out, err } = await cli(['bench', 'kernels', '--device', 'wasm', ...args, ...json])
        assert.deepEqual([code, out], [2, ''])
        assert.match(err, message)
        assert.ok(!existsSync(file))
      }))
  }
})

function isComplete(entry: KernelEntry): boolean {
  return entry.verdict === 'ok' && entry.ms.median > 0 && entry.ofRoof > 0 && Number.isFinite(entry.gbPerSecond)
}
