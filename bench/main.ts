import { runProcess } from '../apps/cli/process.ts'
import { benchProgram } from './program.ts'

await runProcess({ create: benchProgram })
