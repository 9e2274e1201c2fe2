export { digits, table } from '../clip/table.ts'

export const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`
