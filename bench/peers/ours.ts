import { load } from '../../index.ts'
import { tokenId } from './cases.ts'
import { serve } from './protocol.ts'

const [folder, threads] = process.argv.slice(2)
const clip = await load(folder, { device: 'wasm', threads: Number(threads) })
const pixels = { data: new Uint8Array(224 * 224 * 3).map((_, i) => i * 7), width: 224, height: 224 }
serve(`bareclip wasm, ${clip.info.variants.module}, ${clip.info.threads} threads`, async ({ lengths, images }) => {
  if (images) return void (await clip.encodeImage(Array.from({ length: images }, () => pixels)))
  const texts = lengths!.map((n, t) => ({ tokens: Array.from({ length: n }, (_, i) => tokenId(t, i)) }))
  await clip.encodeText(texts)
})
