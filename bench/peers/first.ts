import { encodeText } from '../../clip/encode-text.ts'
import { type LoadStage, loadEngine } from '../../clip/load.ts'
import { casesNamed, caseTokens } from '../cases.ts'
import { type ProcessMemory, processMemory } from '../machine.ts'
import { refuse } from './protocol.ts'

/** What it took one process to its first embedding. Times in milliseconds, memory in bytes. */
export interface FirstEmbedding {
  /** From the start of the process to its first line. */
  readonly start: number
  readonly stages: readonly { readonly stage: LoadStage | 'first embedding'; readonly ms: number }[]
  /** All stages. */
  readonly ms: number
  readonly before: ProcessMemory
  readonly after: ProcessMemory
  readonly weights: number
}

/** Arguments: the model's folder, dtype, threads. */
const [folder, dtype, threads] = process.argv.slice(2)

try {
  const start = performance.now()
  const before = processMemory()
  const stages: FirstEmbedding['stages'][number][] = []
  const { engine } = await loadEngine(folder, {
    device: 'wasm',
    dtype: dtype as 'f32',
    threads: Number(threads),
    onStage: (stage, ms) => stages.push({ stage, ms }),
  })
  const loaded = performance.now()
  await encodeText(engine, caseTokens(casesNamed(['1x16'])[0]!, engine.model.text))
  const end = performance.now()
  stages.push({ stage: 'first embedding', ms: end - loaded })
  const { weights } = engine.device.memory()
  process.send!({ start, stages, ms: end - start, before, after: processMemory(), weights } satisfies FirstEmbedding)
  engine.device.dispose()
} catch (error) {
  refuse(error)
}
process.disconnect()
