import { load } from '../../index.ts'
import { caseImages } from '../cases.ts'
import { refuse, serve } from './protocol.ts'
import { peerTexts } from './words.ts'

/** Arguments: the model's folder, dtype, threads. */
const [folder, dtype, threads] = process.argv.slice(2)

try {
  const clip = await load(folder, { device: 'wasm', dtype: dtype as 'f32', threads: Number(threads) })
  const { info } = clip
  serve(`${info.dtype}, ${info.threads} threads, ${Object.values(info.variants).join(', ')}`, async (item) => {
    const texts = peerTexts(item)
    const images = caseImages(item, info.imageSize ?? 224)
    return async () => {
      const { data } = await (item.images > 0 ? clip.encodeImage(images) : clip.encodeText(texts))
      return { data, rows: texts.length + images.length }
    }
  })
} catch (error) {
  refuse(error)
}
