import { decodeImage as platformDecoder } from '#platform'
import { type DecodedImage, type DecodeOptions, decodeImageWith, type ImageInput } from './decode.ts'

export type { DecodedImage, DecodeOptions, ImageInput } from './decode.ts'
export { imageSize } from './image-size.ts'
export type { Pixels } from './pixels.ts'
export { preprocess } from './preprocess.ts'
export { type Preprocessing, readPreprocessing } from './preprocessing.ts'

/**
 * Decodes an image file to RGB (height, width, 3), or takes pixels as they are. The format is told from the content. PNG
 * and JPEG come out bit for bit as Pillow has them (JPEG by the platform's decoder where it has one), other formats by the
 * platform or by the `decode` option. EXIF orientation and colour profiles are ignored, alpha is dropped.
 * @throws BareclipError INVALID_INPUT for anything else than an image, INVALID_IMAGE, UNSUPPORTED_IMAGE, IMAGE_TOO_LARGE,
 * READ_FAILED, INVALID_ARGUMENT; `signal.reason` when aborted
 */
export function decodeImage(input: ImageInput, options?: DecodeOptions): Promise<DecodedImage> {
  return decodeImageWith(platformDecoder, input, options)
}
