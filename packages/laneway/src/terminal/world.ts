/** Where a command runs. */
export interface CommandWorld {
  readonly write: (text: string) => void
  readonly writeError: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  /** The working directory, from which an application would be started. */
  readonly folder: string
  /** Colours are for terminals, unless `NO_COLOR` is set; `FORCE_COLOR` asks for them elsewhere. */
  readonly isTerminal: boolean
  /** Width of the terminal. */
  readonly columns?: number | undefined
  /** Ends what goes on, e.g. `--watch`. */
  readonly signal: AbortSignal
}

/** Exit codes of all commands. */
export const EXIT = {
  ok: 0,
  /** A finding, a problem in a file, a request that cannot be served. */
  wrong: 1,
  /** Wrong use: unknown command or option, settings that register would refuse. */
  usage: 2,
  /** A registry that cannot be reached. */
  unreachable: 3,
} as const
