import { readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { Option } from 'commander'
import { cosine } from '../../../clip/classify.ts'
import type { Clip } from '../../../clip/clip.ts'
import { BareclipError, messageOf } from '../../../runtime/errors.ts'
import type { Cli } from '../cli.ts'
import { exitCodes } from '../exit-codes.ts'
import { inFile, readImages } from '../input/image-files.ts'
import { loadModel, requireVision } from '../model.ts'
import { type DeviceOptions, deviceOptions, integer } from '../options.ts'
import { shortNumber } from '../output/float-text.ts'

interface Options extends DeviceOptions {
  readonly top: number
}

export function searchCommand(cli: Cli): void {
  deviceOptions(cli.program.command('search').description('find the pictures of a folder that fit a text best'))
    .argument('<dir>', 'folder with PNG or JPEG files; its subfolders are not searched')
    .argument('<query>', 'what to look for')
    .addOption(new Option('--top <n>', 'pictures to list').argParser(integer(1)).default(10))
    .addHelpText(
      'after',
      `
Writes {"rank", "image", "cosine"} per picture, best first.

Example:
  bareclip search photos "two dogs on a beach" --top 3`,
    )
    .action((dir: string, query: string, options: Options) => search(cli, dir, query, options))
}

async function search(cli: Cli, dir: string, query: string, options: Options): Promise<void> {
  if (query.trim() === '') throw new BareclipError('INVALID_ARGUMENT', 'the query is empty: say what to look for')
  const paths = await picturesIn(dir)
  using clip = await loadModel(cli, options)
  requireVision(clip)
  const target = (await clip.encodeText(query, { signal: cli.signal })).row(0)
  const { found, failed } = await score(cli, clip, target, paths)
  found.sort((a, b) => b.cosine - a.cosine)
  for (const [i, { image, cosine }] of found.slice(0, options.top).entries()) {
    await cli.print(`${JSON.stringify({ rank: i + 1, image, cosine })}\n`)
  }
  if (failed === 0) return
  cli.messages.say(`${failed} of ${paths.length} pictures failed`)
  cli.exit(exitCodes.someFailed)
}

/** By the extension, sorted by name. */
async function picturesIn(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch((cause: unknown) => {
    throw new BareclipError('READ_FAILED', `cannot read the folder ${dir}: ${messageOf(cause)}`, { cause })
  })
  const pictures = names.filter((name) => ['.png', '.jpg', '.jpeg'].includes(extname(name).toLowerCase())).sort()
  if (pictures.length > 0) return pictures.map((name) => join(dir, name))
  throw new BareclipError('INVALID_INPUT', `there are no pictures (.png, .jpg, .jpeg) in ${dir}`)
}

async function score({ messages, signal }: Cli, clip: Clip, target: Float32Array, paths: readonly string[]) {
  const found: { image: string; cosine: number }[] = []
  let failed = 0
  const fail = (error: BareclipError) => {
    failed++
    messages.say(error.message)
  }
  for await (const group of readImages(paths, signal)) {
    const read = group.filter((file) => file.bytes !== undefined)
    const encoded = await clip.encodeImage(
      read.map(({ bytes }) => bytes!),
      { signal, onError: 'keep' },
    )
    for (const { error } of group) if (error) fail(error)
    for (const [i, { path }] of read.entries()) {
      const error = encoded.errors.get(i)
      const value = cosine(target, encoded.row(i))
      if (error) fail(inFile(path, error))
      else if (Number.isNaN(value)) fail(new BareclipError('INVALID_INPUT', `${path}: its embedding is not finite`))
      else found.push({ image: path, cosine: shortNumber(value) })
    }
    messages.progress(`${group.at(-1)!.index + 1} of ${paths.length} pictures`)
  }
  return { found, failed }
}
