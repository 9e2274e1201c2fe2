import type { ImageInput } from '../loaders/image/image.ts'
import type { Device, DeviceInfo, KernelPlan, Scope } from '../runtime/device.ts'
import { BareclipError } from '../runtime/errors.ts'
import { encodeImage } from './encode-image.ts'
import { encodeText } from './encode-text.ts'
import type { Engine } from './engine.ts'
import { invalid } from './options.ts'
import { createProfile, observed, type Profile } from './profile.ts'
import type { TextInput } from './sequences.ts'
import { typicalPasses } from './typical-passes.ts'

/** What to run as a sample; nothing runs without one. */
export interface ExplainOptions {
  readonly text?: TextInput | readonly TextInput[] | undefined
  /** One text as token ids. */
  readonly tokens?: ArrayLike<number> | undefined
  readonly image?: ImageInput | readonly ImageInput[] | undefined
  readonly signal?: AbortSignal | undefined
}

/** What runs, why, and what it costs. */
export interface Explanation {
  readonly device: DeviceInfo
  /** Undefined on a device that compiles no kernels. */
  readonly startup?: StartupCost | undefined
  /** Of the sample, or else of passes of many sizes. */
  readonly operations: readonly ExplainedOperation[]
  readonly sample?: SampleProfile | undefined
}

/** In milliseconds. */
export interface StartupCost {
  readonly compileMs: number
  readonly selfTestMs: number
}

export interface ExplainedOperation {
  readonly operation: string
  readonly kernels: readonly ExplainedKernel[]
}

export interface ExplainedKernel extends KernelPlan {
  /** Whether the self-test at the start ran this very kernel, or another of the same operation only. */
  readonly checked: boolean
}

export interface SampleProfile extends Profile {
  /** The first call, with what it compiles and makes room for; the next one; and the one that is timed by operation. */
  readonly firstMs: number
  readonly ms: number
  readonly profileMs: number
  /** What the times of the operations are. */
  readonly clock: string
}

const optionNames = ['text', 'tokens', 'image', 'signal']

/** Throws INVALID_ARGUMENT, and what encodeText and encodeImage throw. */
export async function explain(engine: Engine, options: ExplainOptions = {}): Promise<Explanation> {
  const sample = sampleOf(options)
  const plans = createPlans(engine)
  let measured: SampleProfile | undefined
  if (sample) measured = await measure(engine, sample, plans.add)
  else for (const pass of typicalPasses(engine.model)) plans.add(pass, engine.device)
  const { startup } = engine
  return {
    device: engine.device.info,
    startup: startup && { compileMs: startup.compileMs, selfTestMs: startup.selfTestMs },
    operations: plans.result(),
    sample: measured,
  }
}

type Sample = (engine: Engine) => Promise<void>

function sampleOf(options: ExplainOptions): Sample | undefined {
  if (typeof options !== 'object' || options === null) throw invalid('options', 'an object', options)
  for (const name of Object.keys(options)) {
    if (optionNames.includes(name)) continue
    throw new BareclipError('INVALID_ARGUMENT', `there is no option ${name}; there are ${optionNames.join(', ')}`)
  }
  const { text, tokens, image, signal } = options
  const texts: TextInput[] = [
    ...(text === undefined ? [] : Array.isArray(text) ? (text as readonly TextInput[]) : [text as TextInput]),
    ...(tokens === undefined ? [] : [{ tokens }]),
  ]
  if (texts.length === 0 && image === undefined) return undefined
  return async (engine) => {
    if (texts.length > 0) await encodeText(engine, texts, { signal })
    if (image !== undefined) await encodeImage(engine, image, { signal })
  }
}

async function measure(engine: Engine, sample: Sample, onPass: (pass: Scope, device: Device) => void) {
  const firstMs = await timed(() => sample(engine))
  const ms = await timed(() => sample(engine))
  const profile = createProfile()
  const profileMs = await timed(() => sample(observed(engine, { onPass, onCommand: profile.add })))
  return { firstMs, ms, profileMs, clock: clockOf(engine.device.info), ...profile.result() }
}

async function timed(task: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await task()
  return performance.now() - start
}

function clockOf({ device, threads, adapter }: DeviceInfo): string {
  if (device === 'webgpu') {
    const timestamps = adapter?.features.includes('timestamp-query')
    return timestamps ? 'timestamps of the graphics device' : 'of the host, each operation submitted alone'
  }
  return device === 'wasm' && threads > 1 ? 'of the host, each operation a program of its own' : 'of the host'
}

/** Collects the kernels of each operation, in the order of their first use. */
function createPlans({ startup }: Engine) {
  const operations = new Map<string, Map<string, ExplainedKernel>>()
  return {
    add(pass: Scope, device: Device) {
      const plans = device.kernelsOf?.(pass)
      for (const command of pass.commands) {
        const { name } = command.operation
        const kernels = operations.get(name) ?? new Map<string, ExplainedKernel>()
        operations.set(name, kernels)
        for (const plan of plans ? (plans.get(command) ?? []) : [fixedPlan(device.info)]) {
          const checked = startup ? startup.checked.has(plan.kernel) : device.info.device !== 'reference'
          if (!kernels.has(plan.kernel)) kernels.set(plan.kernel, { ...plan, checked })
        }
      }
    },
    result: (): ExplainedOperation[] =>
      [...operations].map(([operation, kernels]) => ({ operation, kernels: [...kernels.values()] })),
  }
}

/** Of a device that has one kernel for each operation. */
function fixedPlan({ device, variants }: DeviceInfo): KernelPlan {
  if (device === 'reference') return { kernel: 'reference', why: 'plain TypeScript, sums in float64' }
  return { kernel: `${device} ${Object.values(variants).join(', ')}`, why: 'one module for all operations' }
}
