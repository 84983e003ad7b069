import { readFileSync, statSync } from 'node:fs'
import { assertKnownKeys, describe, LanewayError } from '@laneway/core'
import {
  createRulesHolder,
  HOLDER_OPTIONS,
  type RulesHolder,
  type RulesHolderOptions,
  warnRefused,
} from './rules-holder.js'

/** Options of {@link watchRules}. */
export interface WatchRulesOptions extends RulesHolderOptions {
  /**
   * How often the file is looked at, 100 to 3,600,000 ms.
   * @default 1000: one `stat` a second, which also sees the symbolic links that Kubernetes swaps under a ConfigMap,
   *   where `fs.watch` stays silent
   */
  intervalMs?: number
}

/** Rules that follow a file. */
export interface RulesWatch extends RulesHolder {
  /** Reads the file now. @returns whether its document is the one in use */
  readonly reload: () => boolean
  /** Stops following; the rules stay in use. */
  readonly close: () => void
}

/**
 * Loads rules from a file and follows it. The timer does not keep the process alive. Later, a bad document, a file that
 * is gone or cannot be read keeps the last good rules and is reported once. Write the file in one piece (to another name,
 * then rename): half a document may well be a good one.
 *
 * @throws LanewayError `LANEWAY_INVALID_RULES` when the first document is bad, `LANEWAY_SOURCE` when the file cannot be
 *   read at the start, `LANEWAY_INVALID_OPTION`
 */
export function watchRules(file: string, options: WatchRulesOptions = {}): RulesWatch {
  assertKnownKeys('watchRules', options, [...HOLDER_OPTIONS, 'intervalMs'])
  const { intervalMs = 1000, onProblem, ...rest } = options
  if (!(typeof intervalMs === 'number' && intervalMs >= 100 && intervalMs <= 3_600_000)) {
    throw new LanewayError(
      'LANEWAY_INVALID_OPTION',
      `watchRules: intervalMs is 100 to 3600000, received ${describe(intervalMs)}`,
    )
  }
  // The first problem is thrown, not reported.
  let started = false
  const report = (error: LanewayError): void => {
    if (started) (onProblem ?? warnRefused)(error)
  }
  const holder = createRulesHolder({ source: file, ...rest, onProblem: report })
  let stamp = ''
  let lost: LanewayError | undefined

  function reload(): boolean {
    let text: string
    try {
      stamp = stampOf(file)
      text = readFileSync(file, 'utf8')
    } catch (error) {
      const before = lost
      lost = new LanewayError('LANEWAY_SOURCE', `${file} cannot be read: ${messageOf(error)}`, { cause: error })
      if (before?.message !== lost.message) report(lost)
      return false
    }
    lost = undefined
    return holder.replace(text)
  }

  function look(): void {
    let now = ''
    try {
      now = stampOf(file)
    } catch {
      // reload() finds out why
    }
    if (now === '' || now !== stamp || lost !== undefined) reload()
  }

  if (!reload()) throw lost ?? holder.problem
  started = true
  const timer = setInterval(look, intervalMs).unref()

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
    reload,
    close: () => clearInterval(timer),
  }
}

/** Changes whenever the content may have: a renamed file has another inode, a rewritten one another time or size. */
function stampOf(file: string): string {
  const { ino, size, mtimeNs } = statSync(file, { bigint: true })
  return `${ino}:${size}:${mtimeNs}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
