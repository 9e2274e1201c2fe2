import { signalExitCodes } from './exit-codes.ts'
import { type RunOptions, run } from './run.ts'

/** What an aborted command has for cleaning up, in ticks of 100 ms of an event loop that turns. */
const graceTicks = 20

/** This process is the command: its arguments, streams and signals. */
export async function runProcess(options: Pick<RunOptions, 'create'> = {}): Promise<void> {
  const controller = new AbortController()
  let interrupted: number | undefined
  for (const [name, code] of Object.entries(signalExitCodes)) {
    // Once: a second one ends the process at once.
    process.once(name, () => {
      interrupted = code
      controller.abort(new Error(`stopped by ${name}`))
      let ticks = 0
      // A reader that stands still, or a pipe that nobody opens, may not hold us.
      setInterval(() => ++ticks === graceTicks && process.exit(code), 100).unref()
    })
  }
  const { stdin, stdout, stderr, env } = process
  const code = await run(
    process.argv.slice(2),
    { stdin, stdout, stderr, signal: controller.signal },
    { ...options, debug: !!env.DEBUG },
  )
  stdin.destroy() // an open pipe would keep the process alive
  process.exitCode = interrupted ?? code
}
