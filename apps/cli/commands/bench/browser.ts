import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Cli } from '../../cli.ts'
import { version } from '../../version.ts'

interface Options {
  readonly browser?: boolean
  readonly port?: number
}

/** `bareclip bench --browser`: of the command itself, beside those under it. */
export function benchBrowserOption(cli: Cli, bench: Command): void {
  bench
    .usage('[options] [command]')
    .argument('[command]') // so that a wrong one is named
    .option('--browser', 'serve a page that times the kernels in a browser, until Ctrl-C')
    .addOption(new Option('--port <n>', 'of the page; default: a free one').argParser(port))
    .action((name: string | undefined, options: Options) => {
      if (name !== undefined) bench.error(`error: unknown command '${name}'`)
      if (!options.browser) return bench.help({ error: true })
      return serve(cli, options.port ?? 0)
    })
}

function port(value: string): number {
  if (/^\d{1,5}$/.test(value) && Number(value) < 2 ** 16) return Number(value)
  throw new InvalidArgumentError('It should be an integer from 0 to 65535.')
}

/** Ends with the signal: throws its reason. */
async function serve({ print, messages, signal }: Cli, port: number): Promise<void> {
  const { serveBench } = await import('../../../../bench/browser/server.ts')
  signal.throwIfAborted()
  const server = await serveBench({ port, version: version() })
  try {
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    await print(`${server.url}\n`)
    messages.say('open this address in a browser of this machine; Ctrl-C ends')
    await stopped
    signal.throwIfAborted()
  } finally {
    await server.close()
  }
}
