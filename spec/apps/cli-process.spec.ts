import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inFolder, ndjson, parseLines, root } from './cli-run.ts'

const main = fileURLToPath(new URL('../../apps/cli/main.ts', import.meta.url))
const command = [process.execPath, '--import', 'tsx', main] as const

interface Settings {
  readonly input?: string
  /** A file descriptor for stdout. */
  readonly stdout?: number
  readonly env?: Readonly<Record<string, string>>
}

function start(args: readonly string[], { stdout, env }: Settings = {}): ChildProcess {
  const [node, ...flags] = command
  return spawn(node, [...flags, ...args], {
    cwd: root,
    stdio: ['pipe', stdout ?? 'pipe', 'pipe'],
    env: { ...process.env, DEBUG: '', ...env },
  })
}

async function end(child: ChildProcess) {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk) => {
    out += chunk
  })
  child.stderr?.on('data', (chunk) => {
    err += chunk
  })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

async function finish(args: readonly string[], settings: Settings = {}) {
  const child = start(args, settings)
  child.stdin?.end(settings.input ?? '')
  return end(child)
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('bareclip as a process', () => {
  it('puts data alone on stdout, and ends with 0, 1 or 2', async () => {
    const done = await finish(['embed', '--dimensions', '2'], { input: ndjson({ text: 'a red circle' }) })
    assert.deepEqual([done.code, done.err], [0, ''])
    assert.match(done.out, /^\{"index":0,"embedding":\[-?0\.\d+,-?0\.\d+\],"tokens":5,"truncated":false\}\n$/)
    const some = await finish(['embed'], { input: `oops\n${ndjson({ text: 'a' })}` })
    assert.deepEqual([some.code, some.err], [1, 'bareclip: 1 of 2 items failed\n'])
    assert.equal(parseLines(some.out).length, 2)
    const wrong = await finish(['embed', '--nope'])
    assert.deepEqual(
      [wrong.code, wrong.out, wrong.err],
      [2, '', "bareclip: unknown option '--nope'; --help lists what there is\n"],
    )
  })

  it('prints a stack trace with DEBUG only', async () => {
    const { code, out, err } = await finish(['inspect', 'missing'], { env: { DEBUG: '1' } })
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, /^bareclip: no such file: missing\n.*BareclipError[\s\S]*\n {4}at /)
  })

  it('stops quietly when nobody reads any more', async () => {
    const child = start(['embed'])
    const ended = end(child)
    child.stdin?.on('error', () => {})
    child.stdout?.once('data', () => child.stdout?.destroy())
    const more = setInterval(() => child.stdin?.write(ndjson({ text: 'a' })), 20)
    const { code, err } = await ended
    clearInterval(more)
    assert.deepEqual([code, err], [0, ''])
  })

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`${signal} in the middle of the work: exit code ${code}, no temporary file, the old file stays`, function () {
      if (process.platform === 'win32') this.skip()
      return inFolder(async (folder) => {
        const path = join(folder, 'a.npy')
        writeFileSync(path, 'old')
        const child = start(['embed', '--output', path])
        const ended = end(child)
        child.stdin?.on('error', () => {})
        child.stdin?.write(ndjson({ text: 'a' }))
        await until(() => readdirSync(folder).length === 2)
        child.kill(signal)
        assert.deepEqual(await ended, { code, out: '', err: '' })
        assert.deepEqual(readdirSync(folder), ['a.npy'])
        assert.equal(readFileSync(path, 'utf8'), 'old')
      })
    })
  }

  it('tells of a full disk: on stdout', async function () {
    if (!existsSync('/dev/full')) this.skip()
    const full = openSync('/dev/full', 'w')
    for (const args of [['embed'], ['--help']]) {
      const { code, err } = await finish(args, { input: ndjson({ text: 'a' }), stdout: full })
      assert.equal(code, 2)
      assert.match(err, /^bareclip: cannot write to stdout: ENOSPC[^\n]*\n$/)
    }
  })

  it('tells of a full disk: in a file, of which nothing is left', function () {
    if (process.platform === 'win32') this.skip()
    return inFolder(async (folder) => {
      const path = join(folder, 'a.npy')
      writeFileSync(path, 'old')
      // At most 16 blocks (of 512 or 1024 bytes) a file: 60 rows of 512 bytes are more.
      const child = spawn('sh', ['-c', 'ulimit -f 16 && exec "$@"', 'sh', ...command, 'embed', '--output', path], {
        cwd: root,
        env: { ...process.env, DEBUG: '', TSX_DISABLE_CACHE: '1' },
      })
      child.stdin.end(ndjson(...new Array(60).fill({ text: 'a' })))
      const { code, out, err } = await end(child)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, /^bareclip: cannot write .*a\.npy: EFBIG[^\n]*\n$/)
      assert.deepEqual(readdirSync(folder), ['a.npy'])
      assert.equal(readFileSync(path, 'utf8'), 'old')
    })
  })
})
