// npm run bench -- linear            GFLOP/s of `linear` at the model's shapes, on one thread of the reference device
// npm run bench -- peers DIR [THREADS] [CASE]   the wasm device against onnxruntime-web and -node on the full-size checkpoint
// npm run bench -- scales            q8 and q12 on the wasm device: GOP/s, and what a scale per 64 columns costs against one per row
// npm run bench -- model DIR         milliseconds of texts and images on a model (bareclip synth DIR --size full makes one)
import { benchLinear } from './linear.ts'
import { benchModel } from './model.ts'
import { benchPeers } from './peers.ts'
import { benchScales } from './scales.ts'

const [what, ...rest] = process.argv.slice(2)
if (what === 'linear') await benchLinear()
else if (what === 'scales') await benchScales()
else if (what === 'model') await benchModel(rest[0])
else if (what === 'peers') await benchPeers(rest[0], Number(rest[1] ?? 2), 5, rest[2] ?? '')
else {
  console.error('usage: npm run bench -- linear | scales | model [DIR] | peers DIR [THREADS]')
  process.exitCode = 2
}
