export {
  type DecodedImage,
  type DecodeOptions,
  decodeImage,
  type ImageInput,
  imageSize,
  type Pixels,
  type Preprocessing,
  preprocess,
  readPreprocessing,
} from './image/image.ts'
export { openSafetensors, type Safetensors, type TensorEntry } from './safetensors/safetensors.ts'
export { encodeSafetensors, writeSafetensors } from './safetensors/write.ts'
export { openSource, readAll } from './source.ts'
export { createTokenizer, type Encoding, type Tokenizer } from './tokenizer/tokenizer.ts'
