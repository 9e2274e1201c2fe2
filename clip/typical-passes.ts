import { l2Normalize } from '../kernels/l2-normalize/l2-normalize.ts'
import type { Model } from '../models/tower.ts'
import { equalBatch } from '../runtime/batch.ts'
import type { Scope } from '../runtime/device.ts'
import { createRecording } from '../runtime/scope.ts'
import type { Tensor } from '../runtime/tensor.ts'

/** Of texts, one in a pass: kernels choose their variants by the number of rows. */
const typicalTokens = [2, 12, 24, 48, 100, 200, 400, 1000]

/** Of images in a pass. */
const typicalImages = [1, 8]

/** Passes of many sizes, recorded to see what would run. */
export function typicalPasses({ text, vision }: Pick<Model, 'text' | 'vision'>): Scope[] {
  const texts = typicalTokens.map((tokens) =>
    recorded((scope) => {
      const pooled = text.record(scope, new Int32Array(tokens), equalBatch(1, tokens))
      return l2Normalize(scope, pooled, text.hidden)
    }),
  )
  if (!vision) return texts
  const images = typicalImages.map((images) =>
    recorded((scope) => {
      const pixels = new Float32Array(images * 3 * vision.imageSize ** 2)
      return l2Normalize(scope, vision.record(scope, pixels, images), vision.hidden)
    }),
  )
  return [...texts, ...images]
}

function recorded(record: (scope: Scope) => Tensor): Scope {
  const scope = createRecording(() => {})
  scope.output(record(scope))
  return scope
}
