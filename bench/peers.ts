import { fork } from 'node:child_process'
import { copyFileSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from './median.ts'
import { flopsOf, type PeerCase, peerCases } from './peers/cases.ts'

/** The one file that the graphs fit. */
const checkpointBytes = 890_633_332

interface Answer {
  readonly title?: string
  readonly ms?: number
  readonly rss?: number
  readonly error?: string
}

interface Peer {
  readonly title: string
  ask(item: PeerCase): Promise<Answer>
  end(): void
}

/**
 * Ours and the peers that are installed, each in a process of its own, in turn A B C A B C, so that a drifting machine does not
 * decide. Prints medians and ratios.
 */
export async function benchPeers(
  folder: string | undefined,
  threads: number,
  rounds: number,
  filter: string,
): Promise<void> {
  if (!folder || !existsSync(join(folder, 'model.safetensors'))) {
    throw new Error('peers needs a folder made by `bareclip synth DIR --size full`')
  }
  if (statSync(join(folder, 'model.safetensors')).size !== checkpointBytes) {
    throw new Error(`the graphs fit the full-size f32 checkpoint of ${checkpointBytes} bytes only`)
  }
  for (const graph of ['text.onnx', 'vision.onnx']) {
    copyFileSync(fileURLToPath(new URL(`peers/graphs/${graph}`, import.meta.url)), join(folder, graph))
  }
  const peers: Peer[] = [await start('ours.ts', [folder, String(threads)])]
  for (const kind of ['web', 'node']) {
    if (existsSync(new URL(`peers/node_modules/onnxruntime-${kind}`, import.meta.url))) {
      peers.push(await start('onnx.ts', [kind, folder, String(threads)]))
    } else console.log(`- onnxruntime-${kind} is missing: npm install --prefix bench/peers`)
  }
  for (const { title } of peers) console.log(title)
  console.log(`\nNode ${process.versions.node}, median of ${rounds}; ratio: how many times as fast ours is`)
  const ratios: number[][] = peers.map(() => [])
  for (const item of peerCases.filter(({ name }) => name.includes(filter))) {
    const times = peers.map(() => [] as number[])
    for (let round = -1; round < rounds; round++) {
      for (const [p, peer] of peers.entries()) {
        const { ms, error } = await peer.ask(item)
        if (error) console.log(`${peer.title}: ${error}`)
        if (round >= 0) times[p]!.push(ms ?? Number.NaN) // the first round warms up
      }
    }
    const medians = times.map((list) => median(list.sort((a, b) => a - b)))
    const cells = medians.map((ms, p) => {
      const ratio = ms / medians[0]!
      if (p > 0) ratios[p]!.push(ratio)
      return `${ms.toFixed(0).padStart(7)} ms ${(flopsOf(item) / ms / 1e6).toFixed(0).padStart(4)} GFLOP/s${p > 0 ? ` ${ratio.toFixed(2)}x` : ''}`
    })
    console.log(`${item.name.padEnd(22)}${cells.join(' |')}`)
  }
  for (const [p, list] of ratios.entries()) {
    if (list.length === 0) continue
    const mean = Math.exp(list.reduce((sum, ratio) => sum + Math.log(ratio), 0) / list.length)
    console.log(
      `against ${peers[p]!.title}: geometric mean ${mean.toFixed(2)}x, least ${Math.min(...list).toFixed(2)}x`,
    )
  }
  for (const peer of peers) peer.end()
}

function start(file: string, args: string[]): Promise<Peer> {
  const child = fork(fileURLToPath(new URL(`peers/${file}`, import.meta.url)), args, { execArgv: ['--import', 'tsx'] })
  const next = () =>
    new Promise<Answer>((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`${file} ended with ${code}`))
      child.once('exit', onExit)
      child.once('message', (answer) => {
        child.off('exit', onExit)
        resolve(answer as Answer)
      })
    })
  return next().then(({ title = file }) => ({
    title,
    ask(item) {
      const answer = next()
      child.send(item)
      return answer
    },
    end: () => child.kill(),
  }))
}
