import { createAtomicFile } from './atomic-file.ts'

/** Runs the task, and writes what it gives to `path`, if there is one. Throws WRITE_FAILED, before the task where it can be told. */
export async function withJsonFile(path: string | undefined, task: () => Promise<object>): Promise<void> {
  const file = path === undefined ? undefined : await createAtomicFile(path)
  try {
    const report = await task()
    if (!file) return
    await file.write(new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`), 0)
    await file.commit()
  } finally {
    await file?.discard()
  }
}
