import type { ClipInfo } from '../../clip/clip.ts'
import { type LoadOptions, type LoadStage, loadEngine } from '../../clip/load.ts'
import { attentionWasm, attentionWholeWasm } from '../../kernels/attention/wasm.ts'
import { wasmKernels } from '../../kernels/wasm.ts'
import type { DeviceInfo, MemoryLedger } from '../../runtime/device.ts'
import type { WasmTable } from '../../runtime/wasm/kernel.ts'
import { type BenchCase, defaultCases } from '../cases.ts'
import { type Machine, machine, type ProcessMemory, processMemory } from '../machine.ts'
import { type ColdStart, coldStart } from './cold-start.ts'
import { type AttentionSwitch, type CaseReport, measureCase } from './measure.ts'

export interface ModelBenchOptions extends Pick<LoadOptions, 'device' | 'dtype' | 'threads' | 'gpu' | 'signal'> {
  /** A folder; the demonstration model if undefined. */
  readonly model?: string | undefined
  /** Default: all but the long texts, and images where the model has a vision tower. */
  readonly cases?: readonly BenchCase[] | undefined
  /** Measured calls of each case, after one that is not. */
  readonly runs: number
  /** Processes that are started anew to see how long their first embedding takes. Default: none. */
  readonly cold?: number | undefined
  readonly onLoad?: ((report: LoadReport) => Promise<void>) | undefined
  readonly onCase?: ((report: CaseReport) => Promise<void>) | undefined
  readonly onProgress?: ((text: string) => void) | undefined
}

export interface LoadReport {
  readonly machine: Machine
  readonly model: Pick<ClipInfo, 'name' | 'dtype' | 'type'>
  readonly device: DeviceInfo
  readonly load: {
    readonly ms: number
    readonly stages: readonly { readonly stage: LoadStage; readonly ms: number }[]
  }
}

/** As they were asked for. */
export interface ModelBenchSettings {
  readonly model: string | null
  readonly device: string
  readonly dtype: string | null
  readonly threads: number | null
  readonly runs: number
}

export interface ModelBenchReport extends LoadReport {
  readonly schema: 'bareclip-bench-model-1'
  /** ISO 8601, when the run began. */
  readonly date: string
  readonly settings: ModelBenchSettings
  readonly cases: readonly CaseReport[]
  readonly coldStart?: ColdStart
  /** Bytes; `weights`, `scratch` and `peak` are the device's ledger, the others are the process's. */
  readonly memory: MemoryLedger & ProcessMemory
}

/** Throws what `load` throws, and UNSUPPORTED_MODEL for an image case on a text model. */
export async function benchModel(options: ModelBenchOptions): Promise<ModelBenchReport> {
  const { runs, signal, onProgress } = options
  const date = new Date().toISOString()
  const attention: AttentionSwitch = { whole: false }
  const stages: LoadReport['load']['stages'][number][] = []
  const start = performance.now()
  const { engine, ...names } = await loadEngine(options.model, {
    device: options.device,
    dtype: options.dtype,
    threads: options.threads,
    gpu: options.gpu,
    signal,
    wasmTable: switchable(attention),
    onStage: (stage, ms) => stages.push({ stage, ms }),
    onProgress: ({ stage, done, total }) =>
      onProgress?.(
        `${stage === 'compile' ? 'compiling kernels' : 'loading the model'}: ${Math.floor((100 * done) / total)} %`,
      ),
  })
  const { device, model } = engine
  let measured: ModelBenchReport
  try {
    const report: LoadReport = {
      machine: machine(),
      model: { ...names, dtype: engine.dtype, type: model.type },
      device: device.info,
      load: { ms: performance.now() - start, stages },
    }
    await options.onLoad?.(report)
    const cases: CaseReport[] = []
    for (const item of options.cases ?? defaultCases.filter(({ images }) => images === 0 || model.vision)) {
      onProgress?.(`${item.name} …`)
      const choice = device.info.device === 'wasm' ? attention : undefined
      const measured = await measureCase(engine, item, { runs, signal, attention: choice })
      await options.onCase?.(measured)
      cases.push(measured)
    }
    const memory = { ...device.memory(), ...processMemory() }
    const settings: ModelBenchSettings = {
      model: options.model ?? null,
      device: options.device ?? 'auto',
      dtype: options.dtype ?? null,
      threads: options.threads ?? null,
      runs,
    }
    measured = { schema: 'bareclip-bench-model-1', ...report, date, settings, cases, memory }
  } finally {
    device.dispose()
  }
  if (!options.cold) return measured
  onProgress?.('cold start …')
  const cold = await coldStart({ ...options, runs: options.cold })
  return cold ? { ...measured, coldStart: cold } : measured
}

function switchable(state: AttentionSwitch): WasmTable {
  const attention: typeof attentionWasm = (parameters, access) =>
    (state.whole ? attentionWholeWasm : attentionWasm)(parameters, access)
  return { ...wasmKernels, attention }
}
