import { LanewayError, type Warn, type WarningFacts } from '@laneway/core'
import { BoundedMap, formatPath } from '@laneway/core/internal'
import { variableOf } from './config.js'

/** Names the setting, `LANEWAY_PROPAGATE_TO`, where another package names its option. */
function inWordsOfRegister(message: string, facts?: WarningFacts): string {
  const variable = facts?.kind === 'option' ? variableOf(facts.option) : undefined
  return facts?.kind === 'option' && variable !== undefined ? facts.worded(variable) : message
}

/** Hosts are part of warnings, and come from requests. */
const MAX_REMEMBERED = 1000

/** Gives each warning once: two patches see the same host, and warn of it in the same words. */
export function createWarn(warn: (message: string) => void): Warn {
  const given = new BoundedMap<string, true>(MAX_REMEMBERED)
  return (message, facts) => {
    const words = inWordsOfRegister(message, facts)
    if (given.get(words)) return
    given.set(words, true)
    warn(words)
  }
}

/** Runs the start. An error about an option is thrown with the variable that sets it. */
export function startInWords<T>(start: () => T): T {
  try {
    return start()
  } catch (error) {
    throw withVariable(error)
  }
}

/** By its fields, not by its class: another copy of `@laneway/core` may have made it. */
function withVariable(error: unknown): unknown {
  const { code, path = [], problem } = Object(error) as Partial<LanewayError>
  const [option, ...rest] = path
  const variable = typeof option === 'string' ? variableOf(option) : undefined
  if (code === undefined || problem === undefined || variable === undefined) return error
  const within = formatPath(rest)
  const name = within === '' || within.startsWith('[') ? `${variable}${within}` : `${variable}.${within}`
  return new LanewayError(code, `${name} ${problem}`, { cause: error, problem, path })
}
