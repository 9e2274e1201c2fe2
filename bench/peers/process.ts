import { type ChildProcess, fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** Its messages go to us, its output nowhere. An abort ends it. */
export function startProcess(
  node: string,
  file: string,
  args: readonly string[],
  signal: AbortSignal | undefined,
): ChildProcess {
  const child = fork(file, args, {
    ...{ execPath: node, execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
    serialization: 'advanced', // typed arrays as they are
  })
  child.stderr?.resume() // even when nobody listens
  endFirst(child)
  const abort = () => child.kill('SIGKILL')
  signal?.addEventListener('abort', abort)
  child.once('exit', () => signal?.removeEventListener('abort', abort))
  return child
}

/** At once; resolves when it is gone. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

export interface Failure {
  readonly error: string
}

/** The next message, or why there is none. limit: seconds */
export function nextMessage<Message>(child: ChildProcess, limit: number): Promise<Message | Failure> {
  return new Promise((resolve) => {
    let complaint = ''
    const settle = (answer: Message | Failure) => {
      clearTimeout(timer)
      child.off('message', settle).off('exit', onExit).off('error', onError)
      child.stderr?.off('data', onComplaint)
      resolve(answer)
    }
    const onExit = (code: number | null, signal: string | null) => {
      const last = complaint.trim().split('\n').at(-1)
      settle({ error: `its process ended with ${signal ?? `code ${code}`}${last ? `: ${last}` : ''}` })
    }
    const onError = (error: Error) => settle({ error: error.message })
    const onComplaint = (text: Buffer) => {
      complaint = (complaint + text).slice(-2000)
    }
    const timer = setTimeout(() => settle({ error: `took over ${limit} s` }), limit * 1000)
    child.on('message', settle).on('exit', onExit).on('error', onError)
    child.stderr?.on('data', onComplaint)
  })
}

/** Where memory runs out, Linux ends this process and no other. */
function endFirst({ pid }: ChildProcess): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '1000')
  } catch {
    // not Linux
  }
}
