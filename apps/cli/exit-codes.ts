/** Part of the command line's contract: scripts test these. */
export const exitCodes = {
  done: 0,
  /** The others were still written. */
  someFailed: 1,
  /** Wrong usage, a model that cannot be loaded, an output that cannot be written. */
  failed: 2,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** By the convention of shells, 128 + the signal's number. */
export const signalExitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
