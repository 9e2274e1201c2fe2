import type { WasmKernel, WasmStep } from '../../runtime/wasm/kernel.ts'
import { packedSize, panelCount } from '../../runtime/wasm/panels.ts'
import { castStep } from '../cast/wasm.ts'
import type { PatchEmbedParameters } from './patch-embed.ts'

/** As in patch-embed.as.ts. */
const group = 24
const panelBlock = 16

export const patchEmbedWasm: WasmKernel<PatchEmbedParameters> = (
  { pixels, patch, weight, bias, classToken, position, y },
  access,
) => {
  const [images = 0, , size = 0] = pixels.shape
  const [hidden = 0, width = 0] = weight.shape
  const perImage = Math.floor(size / patch) ** 2
  const patches = images * perImage
  const groups = Math.ceil(patches / group)
  const gathered = access.temporary(4 * patches * width)
  const steps: WasmStep[] = []
  let panels = access.address(weight)
  if (weight.dtype !== 'f32') {
    const elements = packedSize(hidden, width)
    const widened = access.temporary(4 * elements)
    steps.push(castStep(panels, weight.dtype, widened, 'f32', elements))
    panels = widened
  }
  steps.push({
    entry: 'patchGather',
    units: images > 0 ? groups + 1 : 0, // the last one writes the class tokens
    parameters: [
      access.address(pixels),
      images,
      size,
      patch,
      access.address(classToken),
      access.address(position),
      hidden,
      access.address(y),
      gathered,
    ],
  })
  steps.push({
    entry: 'patchProject',
    units: groups * Math.ceil(panelCount(hidden) / panelBlock),
    parameters: [
      gathered,
      patches,
      perImage,
      width,
      panels,
      hidden,
      access.address(bias),
      access.address(position),
      access.address(y),
    ],
  })
  return steps
}
