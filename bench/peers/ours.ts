import { load } from '../../index.ts'
import { adapterTitle, dawnGpu } from './dawn.ts'
import { oursPrepared } from './ours-prepared.ts'
import { refuse, serve } from './protocol.ts'

/** Arguments: the model's folder, dtype, threads, and for webgpu the package of that name. */
const [folder, dtype, threads, dawn] = process.argv.slice(2)

try {
  const gpu = dawn ? dawnGpu(dawn) : undefined
  const device = gpu ? ({ device: 'webgpu', gpu } as const) : ({ device: 'wasm', threads: Number(threads) } as const)
  const clip = await load(folder, { ...device, dtype: dtype as 'f32' })
  const { info } = clip
  const where = gpu ? await adapterTitle(gpu) : `${info.threads} threads`
  serve(`${info.dtype}, ${where}, ${Object.values(info.variants).join(', ')}`, oursPrepared(clip))
} catch (error) {
  refuse(error)
}
