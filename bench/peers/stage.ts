import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BareclipError } from '../../runtime/errors.ts'

/** The one file that the graphs fit: they point into it by offsets. */
const checkpointBytes = 890_633_332

/** Throws MODEL_NOT_FOUND, INVALID_ARGUMENT. */
export function requireFullModel(folder: string): void {
  const weights = join(folder, 'model.safetensors')
  if (!existsSync(weights)) {
    throw new BareclipError('MODEL_NOT_FOUND', `${weights} is not there: bareclip synth ${folder} --size full makes it`)
  }
  const { size } = statSync(weights)
  if (size === checkpointBytes) return
  throw new BareclipError(
    'INVALID_ARGUMENT',
    `${weights} has ${size} bytes: the peers' graphs fit the ${checkpointBytes} of bareclip synth DIR --size full only`,
  )
}

export interface Stage {
  readonly folder: string
  dispose(): void
}

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/**
 * A temporary folder with the programs to measure, each one bundled JavaScript file, so that every version of Node runs the same
 * and no compiler sits in the process; and, with a model, its files beside the peers' graphs. onnxruntime-node refuses weights
 * that a symbolic link leads to, so it is a hard link, and the folder is inside the model's: on the same disk. pages: to be run
 * in a browser. Programs that were bundled beforehand (pack-gpu.mjs) are taken as they are.
 */
export async function createStage(
  programs: readonly string[],
  model?: string,
  pages: readonly string[] = [],
): Promise<Stage> {
  const folder = mkdtempSync(join(model === undefined ? tmpdir() : resolve(model), '.bareclip-bench-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  const dispose = () => {
    process.off('exit', remove)
    remove()
  }
  try {
    const bundle = {
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      format: 'esm',
      logLevel: 'silent',
    } as const
    const bundled = programs.map((program) => here(program.replace(/\.ts$/, '.mjs'))).filter((path) => existsSync(path))
    if (bundled.length > 0) for (const path of bundled) copyFileSync(path, join(folder, basename(path)))
    else {
      const { build } = await import('esbuild')
      await build({ ...bundle, entryPoints: programs.map(here), platform: 'node' })
      if (pages.length > 0) await build({ ...bundle, entryPoints: pages.map(here), platform: 'browser' })
    }
    if (existsSync(here('node_modules'))) symlinkSync(here('node_modules'), join(folder, 'node_modules'), 'junction')
    if (model !== undefined) {
      linkSync(join(model, 'model.safetensors'), join(folder, 'model.safetensors'))
      copyFileSync(join(model, 'preprocessor_config.json'), join(folder, 'preprocessor_config.json'))
      cpSync(here('graphs'), folder, { recursive: true })
      stageTransformers(folder, model)
    }
    return { folder, dispose }
  } catch (error) {
    dispose()
    throw error
  }
}

/** In `folder/transformers`, what transformers.js expects of a model's folder, by its names. */
function stageTransformers(folder: string, model: string): void {
  const target = join(folder, 'transformers')
  mkdirSync(join(target, 'onnx'), { recursive: true })
  for (const file of ['config.json', 'tokenizer.json', 'preprocessor_config.json']) {
    copyFileSync(join(model, file), join(target, file))
  }
  const tokenizer = { tokenizer_class: 'BertTokenizer', model_max_length: 8192, pad_token: '[PAD]' }
  writeFileSync(join(target, 'tokenizer_config.json'), JSON.stringify(tokenizer))
  writeFileSync(join(target, 'processor_config.json'), JSON.stringify({ processor_class: 'JinaCLIPProcessor' }))
  linkSync(join(model, 'model.safetensors'), join(target, 'onnx/model.safetensors'))
  for (const tower of ['text', 'vision']) {
    copyFileSync(here(`graphs/${tower}.onnx`), join(target, `onnx/${tower}.onnx`))
    copyFileSync(here(`graphs/${tower}-q8.onnx`), join(target, `onnx/${tower}_quantized.onnx`))
  }
}
