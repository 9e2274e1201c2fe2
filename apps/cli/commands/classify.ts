import { Option } from 'commander'
import type { Classification, ClassifyOptions } from '../../../clip/classify.ts'
import type { Clip } from '../../../clip/clip.ts'
import type { BareclipError } from '../../../runtime/errors.ts'
import type { Cli } from '../cli.ts'
import { exitCodes } from '../exit-codes.ts'
import { type ImageFile, inFile, readImages } from '../input/image-files.ts'
import { loadModel, requireVision } from '../model.ts'
import { type DeviceOptions, deviceOptions, labelList, template } from '../options.ts'
import { shortNumber } from '../output/float-text.ts'
import { errorJson } from '../output/rows.ts'

interface Options extends DeviceOptions {
  readonly labels: readonly string[]
  readonly template: string
}

/** What became of one picture. */
type Outcome = readonly Classification[] | BareclipError

export function classifyCommand(cli: Cli): void {
  deviceOptions(cli.program.command('classify').description('say which label fits a picture best'))
    .argument('<image...>', 'PNG or JPEG files')
    .addOption(new Option('--labels <a,b,c>', 'with commas between them').argParser(labelList).makeOptionMandatory())
    .addOption(
      new Option('--template <text>', 'what is embedded for a label {}').argParser(template).default('a photo of a {}'),
    )
    .addHelpText(
      'after',
      `
Writes {"index", "image", "label", "probability", "scores": [{"label", "probability", "cosine"}]} or
{"index", "image", "error": {"code", "message"}} per picture, in order.

Example:
  bareclip classify cat.jpg dog.png --labels cat,dog,bird`,
    )
    .action((images: string[], options: Options) => classify(cli, images, options))
}

async function classify(cli: Cli, paths: readonly string[], options: Options): Promise<void> {
  const { signal, messages, print } = cli
  using clip = await loadModel(cli, options)
  requireVision(clip)
  let failed = 0
  for await (const group of readImages(paths, signal)) {
    const outcomes = await classifyGroup(clip, group, options.labels, { template: options.template, signal })
    for (const [i, { index, path: image }] of group.entries()) {
      const outcome = outcomes[i]!
      if ('code' in outcome) failed++
      await print(`${JSON.stringify({ index, image, ...json(outcome) })}\n`)
    }
    messages.progress(`${group.at(-1)!.index + 1} of ${paths.length} pictures`)
  }
  if (failed === 0) return
  messages.say(`${failed} of ${paths.length} pictures failed`)
  cli.exit(exitCodes.someFailed)
}

async function classifyGroup(
  clip: Clip,
  group: readonly ImageFile[],
  labels: readonly string[],
  options: ClassifyOptions & { readonly signal: AbortSignal },
): Promise<Outcome[]> {
  const read = group.filter((file) => file.bytes !== undefined)
  const pictures = read.map(({ bytes }) => bytes!)
  const scores = pictures.length > 0 ? await clip.classify(pictures, labels, { ...options, onError: 'keep' }) : []
  const outcomes = new Map<ImageFile, Outcome>()
  for (const [i, file] of read.entries()) {
    outcomes.set(file, (await errorOf(clip, file, scores[i]!, options.signal)) ?? scores[i]!)
  }
  return group.map((file) => file.error ?? outcomes.get(file)!)
}

/** classify() tells of a failed picture by NaN; why it failed is found by asking for its embedding. */
async function errorOf(
  clip: Clip,
  { path, bytes }: ImageFile,
  scores: readonly Classification[],
  signal: AbortSignal,
): Promise<BareclipError | undefined> {
  if (!bytes || !scores.every(({ cosine }) => Number.isNaN(cosine))) return undefined
  const error = (await clip.encodeImage(bytes, { onError: 'keep', signal })).errors.get(0)
  return error && inFile(path, error)
}

function json(outcome: Outcome) {
  if ('code' in outcome) return { error: errorJson(outcome) }
  const scores = outcome.map(({ label, probability, cosine }) => ({
    label,
    probability: shortNumber(probability),
    cosine: shortNumber(cosine),
  }))
  const { label, probability } = scores[0]!
  return { label, probability, scores }
}
