import { LanewayError, type OptionPath } from '@laneway/core'
import { formatPath } from '@laneway/core/internal'
import type { RulesProblem } from '@laneway/rules'

/**
 * Runs a compiler of `@laneway/rules`, and moves the paths of the problems that it reports.
 *
 * @param move - from a path in what the compiler was given to the path in the routes
 */
export function withPaths<T>(compile: () => T, move: (path: OptionPath) => OptionPath): T {
  try {
    return compile()
  } catch (error) {
    if (!(error instanceof LanewayError) || !Array.isArray(error.cause)) throw error
    const problems = (error.cause as readonly RulesProblem[]).map(({ message, path }) => {
      const moved = move(path)
      return Object.freeze({ message, at: formatPath(moved), path: moved })
    })
    const text = problems.map(({ at, message }) => `${at} ${message}`).join('\n')
    throw new LanewayError('LANEWAY_INVALID_RULES', text, { cause: Object.freeze(problems) })
  }
}
