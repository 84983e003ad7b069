import { readFileSync } from 'node:fs'
import { LanewayError } from '@laneway/core'
import { FileFollower, milliseconds, type OptionTable, readOptions } from '@laneway/core/internal'
import { HOLDER_OPTIONS, holderOf, type RulesHolder, type RulesHolderOptions } from './rules-holder.js'

/** Options of {@link watchRules}. */
export interface WatchRulesOptions extends RulesHolderOptions {
  /**
   * How often the file is checked for changes, 100 to 3,600,000 ms.
   * @default 1000: one `stat` a second. It sees the symbolic links that Kubernetes swaps under a ConfigMap; `fs.watch`
   *   does not
   */
  intervalMs?: number
}

/** Rules that follow a file. */
export interface RulesWatch extends RulesHolder {
  /** Reads the file now. @returns whether its document is the one in use */
  readonly reload: () => boolean
  /** Stops following the file; the rules stay in use. */
  readonly close: () => void
}

const WATCH_OPTIONS = {
  ...HOLDER_OPTIONS,
  intervalMs: milliseconds(1000, 100, 3_600_000),
} satisfies OptionTable<WatchRulesOptions>

/**
 * Loads rules from a file and follows it. The timer does not keep the process alive. After the start, a bad document or a
 * file that cannot be read is reported once, and the last good rules stay. Write the file in one piece (to another name,
 * then rename): half a document may be a good one.
 *
 * @throws LanewayError `LANEWAY_INVALID_RULES` when the first document is bad, `LANEWAY_SOURCE` when the file cannot be
 *   read at the start, `LANEWAY_INVALID_OPTION`
 */
export function watchRules(file: string, options: WatchRulesOptions = {}): RulesWatch {
  const { intervalMs, onProblem, ...rest } = readOptions('watchRules', { source: file, ...options }, WATCH_OPTIONS)
  // The first problem is thrown, not reported.
  let isStarted = false
  const report = (error: LanewayError): void => {
    if (isStarted) onProblem(error)
  }
  const holder = holderOf({ ...rest, onProblem: report })
  let lost: LanewayError | undefined

  function read(): boolean {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
    } catch (error) {
      const before = lost
      lost = new LanewayError('LANEWAY_SOURCE', `${file} cannot be read: ${(error as Error).message}`, { cause: error })
      if (before?.message !== lost.message) report(lost)
      return false
    }
    lost = undefined
    return holder.replace(text)
  }

  function changed(): boolean {
    read()
    // A file that cannot be read is tried again at the next look.
    return lost === undefined
  }

  // Before the first read, so that a change after it is seen.
  const follower = new FileFollower([file], changed, { intervalMs })
  if (!read()) {
    follower.close()
    throw lost ?? holder.problem
  }
  isStarted = true

  return {
    laneOf: holder.laneOf,
    decide: holder.decide,
    dependsOnCaller: holder.dependsOnCaller,
    explain: holder.explain,
    replace: holder.replace,
    get rules() {
      return holder.rules
    },
    get generation() {
      return holder.generation
    },
    get problem() {
      return lost ?? holder.problem
    },
    reload() {
      follower.refresh()
      return read()
    },
    close: () => follower.close(),
  }
}
