import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { refuse } from '../peers/protocol.ts'
import { checksum, flat } from './data.ts'
import type { FileItem, TokenizerItem } from './items.ts'
import { type PreparedPart, serveParts } from './serve.ts'

interface SafeTensor {
  readonly metadata: ReadonlyMap<string, unknown>
  getTensor(name: string): Uint8Array
}

interface Decoded {
  readonly data: Uint8Array
}

/** Argument: the package, which does one part. */
const name = process.argv[2]!

try {
  const found = (await import(name)) as { default?: object }
  const module = { ...found.default, ...found } // a CommonJS module is its own default
  const about = readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')
  const { version } = JSON.parse(about) as { version: string }
  serveParts(`${name} ${version}`, async (item: FileItem | TokenizerItem) => prepare(module, item))
} catch (error) {
  refuse(error)
}

async function prepare(module: object, item: FileItem | TokenizerItem): Promise<PreparedPart> {
  switch (item.part) {
    case 'safetensors': {
      const { SafeTensor } = module as { SafeTensor: new (bytes: Uint8Array) => SafeTensor }
      return {
        async call() {
          const file = new SafeTensor(await readFile(item.file))
          return Array.from(file.metadata.keys(), (name) => file.getTensor(name))
        },
        show: (tensors: Uint8Array[]) => Float64Array.from(tensors, checksum),
      }
    }
    case 'jpeg': {
      const { decode } = module as { decode(bytes: Uint8Array, options: object): Decoded }
      const bytes = new Uint8Array(readFileSync(item.file))
      const options = { useTArray: true, formatAsRGBA: false }
      return { call: () => decode(bytes, options), show: ({ data }: Decoded) => data }
    }
    case 'png': {
      const { PNG } = module as { PNG: { sync: { read(bytes: Buffer): Decoded } } }
      const bytes = readFileSync(item.file)
      return { call: () => PNG.sync.read(bytes), show: ({ data }: Decoded) => data.filter((_, i) => i % 4 < 3) }
    }
    case 'tokenizer': {
      const { Tokenizer } = module as {
        Tokenizer: new (json: object, config: object) => { encode(text: string): { ids: number[] } }
      }
      const tokenizer = new Tokenizer(JSON.parse(readFileSync(item.file, 'utf8')), {})
      return { call: () => item.texts.map((text) => tokenizer.encode(text).ids), show: flat }
    }
  }
}
