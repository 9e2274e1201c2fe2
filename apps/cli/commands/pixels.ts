import { basename } from 'node:path'
import { Option } from 'commander'
import { defaultModel } from '../../../clip/load.ts'
import { loadPreprocessing } from '../../../clip/parts.ts'
import { decodeImage, type Preprocessing, preprocess } from '../../../loaders/image/image.ts'
import { BareclipError } from '../../../runtime/errors.ts'
import type { Cli } from '../cli.ts'
import { exitCodes } from '../exit-codes.ts'
import { type ImageFile, inFile, readImages } from '../input/image-files.ts'
import { type ModelOption, modelOption, safetensorsFile } from '../options.ts'
import { createAtomicFile } from '../output/atomic-file.ts'
import { safetensorsHeader } from '../output/safetensors-header.ts'

interface Options extends ModelOption {
  readonly output: string
}

export function pixelsCommand(cli: Cli): void {
  cli.program
    .command('pixels')
    .description('write what the vision tower sees of pictures; loads no weights')
    .argument('<image...>', 'PNG or JPEG files')
    .addOption(
      new Option('--output <file>', '.safetensors: one float32 (3, H, W) per picture, by file name')
        .argParser(safetensorsFile)
        .makeOptionMandatory(),
    )
    .addOption(modelOption())
    .addHelpText(
      'after',
      `
Pictures with the same file name are named by their paths as given.

Example:
  bareclip pixels cat.jpg dog.png --output pixels.safetensors`,
    )
    .action((images: string[], options: Options) => pixels(cli, images, options))
}

async function pixels(cli: Cli, paths: readonly string[], { model, output }: Options): Promise<void> {
  const { signal, messages } = cli
  const names = tensorNames(paths)
  const file = await createAtomicFile(output)
  try {
    const preprocessing = await loadPreprocessing(model ?? defaultModel(), { signal })
    const shape = [3, preprocessing.size, preprocessing.size]
    const tensorsOf = (chosen: readonly string[]) => chosen.map((name) => ({ name, shape }))
    // Long enough for all, whichever will fail.
    const headerBytes = safetensorsHeader(tensorsOf(names)).length
    const written: string[] = []
    let end = headerBytes
    for await (const group of readImages(paths, signal)) {
      for (const picture of group) {
        const bytes = await pixelBytes(picture, preprocessing, signal)
        if (bytes instanceof BareclipError) {
          messages.say(bytes.message)
          continue
        }
        await file.write(bytes, end)
        end += bytes.length
        written.push(names[picture.index]!)
        messages.progress(`${picture.index + 1} of ${paths.length} pictures`)
      }
    }
    await file.write(safetensorsHeader(tensorsOf(written), headerBytes), 0)
    signal.throwIfAborted()
    await file.commit()
    if (written.length === paths.length) return
    messages.say(`${paths.length - written.length} of ${paths.length} pictures failed`)
    cli.exit(exitCodes.someFailed)
  } finally {
    await file.discard()
  }
}

/** Base names; the paths as given where base names are equal. */
function tensorNames(paths: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const path of paths) counts.set(basename(path), (counts.get(basename(path)) ?? 0) + 1)
  const names = paths.map((path) => (counts.get(basename(path)) === 1 ? basename(path) : path))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new BareclipError('INVALID_ARGUMENT', `${twice} is given twice`)
  if (names.includes('__metadata__')) {
    throw new BareclipError('INVALID_ARGUMENT', 'a tensor cannot be named __metadata__: rename the picture')
  }
  return names
}

/** float32 (3, size, size), little-endian; or why not */
async function pixelBytes(
  { path, bytes, error }: ImageFile,
  preprocessing: Preprocessing,
  signal: AbortSignal,
): Promise<Uint8Array | BareclipError> {
  if (error) return error
  try {
    const { buffer, byteOffset, byteLength } = preprocess(await decodeImage(bytes, { signal }), preprocessing)
    return new Uint8Array(buffer, byteOffset, byteLength)
  } catch (failure) {
    if (failure instanceof BareclipError) return inFile(path, failure)
    throw failure
  }
}
