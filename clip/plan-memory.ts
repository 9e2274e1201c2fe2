import type { ModelPlan } from '../models/jina-clip.ts'
import { type Checkpoint, type WeightDtype, weightBuilder } from '../models/weights.ts'
import { planArena } from '../runtime/arena.ts'
import { equalBatch } from '../runtime/batch.ts'
import type { Scope, WeightSpec } from '../runtime/device.ts'
import { createRecording } from '../runtime/scope.ts'
import type { Tensor } from '../runtime/tensor.ts'

/** What a model will hold on a device, known from the checkpoint's header. */
export interface ModelMemory {
  readonly weights: readonly WeightSpec[]
  /** Bytes of the arena of a pass of `passTokens` tokens. Planned when asked for: it takes as long as some passes. */
  arena(): number
}

/** More tokens than this are not planned for: a pass that long finds its memory, or not, when it comes. */
const mostTokens = 65536

/** Declares the model's weights without a device. Throws MISSING_TENSOR and TENSOR_SHAPE. */
export function planMemory(
  plan: ModelPlan,
  checkpoint: Checkpoint,
  dtype: WeightDtype,
  passTokens: number,
): ModelMemory {
  const weights: WeightSpec[] = []
  const counter = {
    allocate(spec: WeightSpec): Tensor {
      weights.push(spec)
      const { label, dtype, shape } = spec
      return { label, dtype, shape, storage: { lifetime: 'weights', bytes: 0 }, offset: 0 }
    },
    write: async () => {},
  }
  const { text, vision } = plan.build(weightBuilder(counter, checkpoint, dtype))
  const tokens = Math.min(passTokens, mostTokens)
  const arena = () => {
    const texts = arenaBytes((scope) => text.record(scope, new Int32Array(tokens), equalBatch(1, tokens)))
    if (!vision) return texts
    const image = arenaBytes((scope) => vision.record(scope, new Float32Array(3 * vision.imageSize ** 2), 1))
    return Math.max(texts, image * Math.max(1, Math.floor(tokens / vision.tokens)))
  }
  return { weights, arena }
}

function arenaBytes(record: (scope: Scope) => Tensor): number {
  const scope = createRecording(() => {})
  const output = record(scope)
  return planArena(scope.commands, [...scope.inputs.keys()], [output]).bytes
}
