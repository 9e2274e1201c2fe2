import { readFileSync } from 'node:fs'
import type { SynthSize } from '../../apps/synth/checkpoint.ts'
import { synthModel } from '../../apps/synth/checkpoint.ts'
import type { LoadOptions, Pixels } from '../../index.ts'
import { type Clip, load } from '../../index.ts'
import { type Fixture, readFixture } from '../safetensors-fixture.ts'

const fixtures = new URL('../fixtures/', import.meta.url)
const readJson = (path: string) => JSON.parse(readFileSync(new URL(path, fixtures), 'utf8'))

export interface GoldenInputs {
  readonly texts: readonly {
    readonly label: string
    readonly text: string
    readonly max_length: number
    readonly tokens: number
  }[]
  readonly images: readonly string[]
}

export interface Golden {
  readonly inputs: GoldenInputs
  readonly outputs: ReadonlyMap<string, Fixture>
  /** The 224 × 224 crops that the images come down to. */
  readonly crops: readonly Pixels[]
}

/** folder: 'tiny-e2e', 'full-outliers', … */
export function readGolden(folder: string): Golden {
  const inputs = readJson(`golden/${folder}/inputs.json`) as GoldenInputs
  const expected = readFixture(new URL('images/expected.safetensors', fixtures))
  const crops = inputs.images.map((name) => {
    const { values } = expected.get(`crop/${name}`)!
    return { data: Uint8Array.from(values), width: 224, height: 224 }
  })
  return { inputs, outputs: readFixture(new URL(`golden/${folder}/outputs.safetensors`, fixtures)), crops }
}

/** The small generated model, loaded from memory. */
export function loadSynth(options: { size: SynthSize; outliers?: boolean }, loading: LoadOptions = {}): Promise<Clip> {
  const { config, weights } = synthModel(options)
  const tokenizer = readJson('tokenizer/tokenizer.json')
  return load({ config: config as Record<string, unknown>, tokenizer, weights }, loading)
}
