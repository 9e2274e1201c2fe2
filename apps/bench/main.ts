import { runProcess } from '../cli/process.ts'
import { benchProgram } from './program.ts'

await runProcess({ create: benchProgram })
