import { messageOf } from '../../runtime/errors.ts'
import { demo } from './demo.ts'

const { stdout, env } = process
stdout.on('error', () => process.exit()) // `| head`: nobody reads any more
const bold = (text: string) => `\u001b[1m${text}\u001b[22m`
const plain = !stdout.isTTY || !!env.NO_COLOR
try {
  await demo((line) => stdout.write(`${line}\n`), plain ? undefined : bold)
} catch (error) {
  console.error(`bareclip: ${messageOf(error)}`)
  process.exitCode = 1
}
