import { openSafetensors } from '../../../loaders/safetensors/safetensors.ts'
import { openSource } from '../../../loaders/source.ts'
import type { Cli } from '../cli.ts'

export function inspectCommand(cli: Cli): void {
  cli.program
    .command('inspect')
    .description('list what a safetensors file holds; reads its header only')
    .argument('<file>', 'a .safetensors file')
    .addHelpText(
      'after',
      `
Writes {"file", "bytes", "metadata", "tensors", "parameters"}, then {"name", "dtype", "shape", "bytes"} per tensor, in the
order of the file.

Example:
  bareclip inspect model.safetensors`,
    )
    .action((path: string) => inspect(cli, path))
}

async function inspect({ print, signal }: Cli, path: string): Promise<void> {
  const source = await openSource(path, { signal })
  try {
    const { metadata, tensors } = await openSafetensors(source, { signal })
    const list = [...tensors.values()]
    const parameters = list.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0)
    const line = (value: unknown) => print(`${JSON.stringify(value)}\n`)
    await line({ file: path, bytes: source.size, metadata, tensors: list.length, parameters })
    for (const { name, dtype, shape, begin, end } of list) await line({ name, dtype, shape, bytes: end - begin })
  } finally {
    await source.close()
  }
}
