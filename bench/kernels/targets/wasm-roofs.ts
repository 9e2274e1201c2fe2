import { BareclipError } from '../../../runtime/errors.ts'
import type { WasmStep } from '../../../runtime/wasm/kernel.ts'
import { embeddedModule, type ModuleForm } from '../../../runtime/wasm/module.ts'
import { encodeProgram, programWords } from '../../../runtime/wasm/program.ts'
import type { WasmEntry } from '../../../runtime/wasm/slices.ts'
import { controlWords, createThreadPool } from '../../../runtime/wasm/threads.ts'
import { binaries } from '../roof-binaries.generated.ts'
import type { Roofs } from './roofs.ts'

/** The roofs of the processor from WebAssembly, on as many threads as the kernels have. */
export interface WasmRoofs {
  /** share: of the looks at each */
  measure(into: Roofs, share: number, signal?: AbortSignal): Promise<void>
  /** One pass of multiply-adds: ms for 10⁹ operations. */
  steady(into: Roofs): Promise<number>
  /** A pass of copying. Of the usual form only. */
  steadyCopy(): Promise<unknown>
  dispose(): void
}

const mebibyte = 2 ** 20
/** Source and target together: no processor of today keeps much of it. */
const copyBytes = 256 * mebibyte
const unitBytes = mebibyte / 4
/** Of one and of five milliseconds: on a busy machine few are undisturbed, on an idle one starting costs less of long ones. */
const peakLooks = 50
/** Of some 10 ms each; the first ones bring the memory in. */
const trafficLooks = 8

/** Addresses: parameters of a step at 1024, constants, results of units; then the memory that is copied. */
const constants = 2048
const results = 4096
const arena = mebibyte
const program = arena / 2

interface Peak {
  readonly entry: string
  /** Operations of a round. */
  readonly perRound: number
  readonly how: string
}

const chains = (count: number, links: number) => `${count} chains of 4 lanes in registers, ${links} a round`
const floats: readonly Peak[] = [
  { entry: 'multiplyAdd12', perRound: 12 * 2 * 8, how: chains(12, 2) },
  { entry: 'multiplyAdd24', perRound: 24 * 8, how: chains(24, 1) },
]
const dots: Peak = {
  entry: 'dot12',
  perRound: 12 * 2 * 16,
  how: `${chains(12, 2)}: i32x4.dot_i16x8_s, which is 8 products and 4 sums, and an addition; a product with its sum counts 2`,
}

/** Rounds of a unit: some 0.1 ms. */
const rounds = 25_000
const lookUnits = 9
const longUnits = 48
const steadyUnits = 24

const traffics = [
  { name: 'copy', entry: 'copyVectors', how: 'read and written by vectors of 16 bytes' },
  { name: 'copy', entry: 'copyBulk', how: 'read and written by memory.copy' },
  { name: 'read', entry: 'readVectors', how: 'read and added up by vectors of 16 bytes' },
]

export const floatRoof = (form: ModuleForm, usual: ModuleForm) =>
  form === usual ? 'multiply-add f32' : `multiply-add f32 ${form === 'simd128' ? 'simd' : 'relaxed'}`
export const dotRoof = 'dot i16 × i16'

export async function createWasmRoofs(form: ModuleForm, usual: ModuleForm, threads: number): Promise<WasmRoofs> {
  const shared = threads > 1
  const module = await WebAssembly.compile(await embeddedModule(binaries, { relaxed: form === 'relaxed-simd', shared }))
  const pages = form === usual ? (arena + copyBytes) / 65536 : arena / 65536
  const memory = createMemory(pages, shared)
  const entries = WebAssembly.Module.exports(module).flatMap(({ name, kind }) => (kind === 'function' ? [name] : []))
  const { run, dispose } = await createCall(module, memory, entries, threads)
  const wide = new Float32Array(memory.buffer, constants, 8)
  const name = floatRoof(form, usual)

  const peak = async (peak: Peak, count: number): Promise<number> => {
    if (peak === dots) new Int16Array(memory.buffer, constants, 16).fill(3)
    else wide.fill(0.999, 0, 4).fill(0.001, 4) // every chain tends to 1
    const units = threads * count
    const ms = await run({ entry: peak.entry, units, parameters: [rounds, constants, results] })
    return (units * rounds * peak.perRound) / ms / 1e6
  }
  const traffic = async (entry: string, part = 1) => {
    const bytes = entry === 'readVectors' ? copyBytes : copyBytes / 2
    const target = entry === 'readVectors' ? results : arena + copyBytes / 2
    return run({ entry, units: bytes / unitBytes / part, parameters: [arena, target, unitBytes] })
  }
  const on = `on ${threads} thread${threads > 1 ? 's' : ''}, the fastest of all looks`

  return {
    async measure(into, share, signal) {
      for (const one of form === usual ? [...floats, dots] : floats) {
        const isDot = one === dots
        for (let look = 0; look < peakLooks * share; look++) {
          const rate = await peak(one, look % 2 ? longUnits : lookUnits)
          into.saw(isDot ? dotRoof : name, 'GFLOP/s', rate, `${one.how}; ${isDot ? '' : `${form}, `}${on}`)
        }
        signal?.throwIfAborted()
      }
      if (form !== usual) return
      const size = `${copyBytes / mebibyte} MiB in all, ${on}`
      for (let look = 0; look < Math.max(2, trafficLooks * share); look++) {
        for (const { name, entry, how } of traffics) {
          const ms = await traffic(entry)
          if (look > 0) into.saw(name, 'GB/s', copyBytes / ms / 1e6, `${how}, ${size}`)
        }
        signal?.throwIfAborted()
      }
    },
    async steady(into) {
      const rate = await peak(floats[0]!, steadyUnits)
      into.saw(name, 'GFLOP/s', rate, `${floats[0]!.how}; ${form}, ${on}`)
      return 1000 / rate
    },
    steadyCopy: () => traffic('copyVectors', 8),
    dispose,
  }
}

function createMemory(pages: number, shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared })
  } catch (cause) {
    throw new BareclipError('OUT_OF_MEMORY', `no memory for the roofs, ${(pages * 65536) / mebibyte} MiB`, { cause })
  }
}

/** Runs one step on all threads. → ms */
async function createCall(module: WebAssembly.Module, memory: WebAssembly.Memory, entries: string[], threads: number) {
  if (threads === 1) {
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
    const run = async ({ entry, units, parameters }: WasmStep) => {
      new Int32Array(memory.buffer, 1024, parameters.length).set(parameters)
      const start = performance.now()
      ;(exports[entry] as WasmEntry)(1024, 0, units)
      return performance.now() - start
    }
    return { run, dispose() {} }
  }
  const scratch = Array.from({ length: threads }, () => 0)
  const pool = await createThreadPool({ module, memory, threads, scratch, entries })
  const run = async (step: WasmStep) => {
    const control = program - 4 * (controlWords + 1)
    const words = encodeProgram([step], entries, () => 1, program)
    new Int32Array(memory.buffer, program, programWords([step])).set(words)
    const start = performance.now()
    await pool.run(program, control)
    return performance.now() - start
  }
  return { run, dispose: () => pool.dispose() }
}
