export { digits, table } from '../clip/table.ts'

/** Where a bench says what it found, as soon as it knows. */
export type Print = (text: string) => void | Promise<void>

export const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
