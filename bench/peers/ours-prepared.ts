import type { Clip } from '../../clip/clip.ts'
import { caseImages } from '../cases.ts'
import type { Prepare } from './measure.ts'
import { peerTexts } from './words.ts'

/** Texts and pictures in: tokens and pixels are timed as well. */
export const oursPrepared =
  (clip: Clip): Prepare =>
  async (item) => {
    const texts = peerTexts(item)
    const images = caseImages(item, clip.info.imageSize ?? 224)
    return async () => {
      const { data } = await (item.images > 0 ? clip.encodeImage(images) : clip.encodeText(texts))
      return { data, rows: texts.length + images.length }
    }
  }
