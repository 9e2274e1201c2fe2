import { extname } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type BenchCase, casesNamed } from '../../bench/cases.ts'
import { messageOf } from '../../runtime/errors.ts'
import { type OutputFile, outputFormats } from './output/row-output.ts'

export interface ModelOption {
  readonly model?: string
}

export interface DeviceOptions extends ModelOption {
  readonly device?: 'auto' | 'reference' | 'wasm' | 'webgpu'
  readonly dtype?: 'f32' | 'f16' | 'q12' | 'q8'
  readonly threads?: number
}

export function modelOption(): Option {
  const files = 'folder with config.json, model.safetensors and tokenizer.json'
  return new Option('--model <dir>', `${files} (default: the small demonstration model)`).argParser((value: string) => {
    if (value === '') throw new InvalidArgumentError('It should be the path of a folder.')
    return value
  })
}

export function deviceOptions(command: Command): Command {
  return command
    .addOption(modelOption())
    .addOption(
      new Option('--device <name>', 'what computes').choices(['auto', 'reference', 'wasm', 'webgpu']).default('auto'),
    )
    .addOption(
      new Option('--dtype <dtype>', 'what weights are held in (default: q12 or q8 if stored so, else f32)').choices([
        'f32',
        'f16',
        'q12',
        'q8',
      ]),
    )
    .addOption(new Option('--threads <n>', 'default: as many as the device can use').argParser(integer(1)))
}

export function integer(min: number): (value: string) => number {
  return (value) => {
    const number = Number(value)
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < min) {
      throw new InvalidArgumentError(`It should be an integer from ${min}.`)
    }
    return number
  }
}

/** 0 … 2^32 - 1, decimal or 0x… */
export function seed(value: string): number {
  const number = Number(value)
  if (!/^(\d+|0x[\da-f]+)$/i.test(value) || number >= 2 ** 32) {
    throw new InvalidArgumentError('It should be an integer from 0 to 0xffffffff.')
  }
  return number
}

export function outputFile(path: string): OutputFile {
  const extension = extname(path).toLowerCase()
  const format = outputFormats.find((one) => one === extension)
  if (!format) throw new InvalidArgumentError(`Its name should end with ${outputFormats.join(', ')}.`)
  return { path, format }
}

export function safetensorsFile(path: string): string {
  if (extname(path).toLowerCase() === '.safetensors') return path
  throw new InvalidArgumentError('Its name should end with .safetensors.')
}

/** a,b,c: trimmed, none empty. */
export function labelList(value: string): string[] {
  const labels = value.split(',').map((label) => label.trim())
  if (labels.includes('')) throw new InvalidArgumentError('It should be labels with commas between them, none empty.')
  return labels
}

/** Some of `choices`, with commas between them. */
export function choiceList<T extends string>(choices: readonly T[]): (value: string) => readonly T[] {
  return (value) =>
    labelList(value).map((name) => {
      const choice = choices.find((one) => one === name)
      if (choice !== undefined) return choice
      throw new InvalidArgumentError(`Allowed are ${choices.join(', ')}, with commas between them.`)
    })
}

/** Names with commas between them. */
export function benchCaseList(value: string): readonly BenchCase[] {
  try {
    return casesNamed(labelList(value))
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error))
  }
}

export function template(value: string): string {
  if (value.includes('{}')) return value
  throw new InvalidArgumentError('It should hold {} where the label goes.')
}
