import { LanewayError } from '@laneway/core'
import { BoundedMap, formatPath } from '@laneway/core/internal'
import { variableOf } from './config.js'

/** How other packages name an option in a warning. A user of this package knows the setting, not the function. */
const OPTION_OF = /\bthe option (\w+) of (?:LANEWAY|createAgentPatch|createUndiciPatch|createChannelPatch)\b/g

/** Shows a warning of another package with the settings of this one: `LANEWAY_PROPAGATE_TO`, not `the option propagateTo of …`. */
function inWordsOfRegister(message: string): string {
  return message
    .replace(OPTION_OF, (whole, option: string) => variableOf(option) ?? whole)
    .replace('in services, or give it a host in aliases', 'in LANEWAY_SERVICES')
}

/** Hosts are part of warnings, and come from requests. */
const MAX_REMEMBERED = 1000

/** Gives each warning once: two patches see the same host, and warn of it in the same words. */
export function createWarn(warn: (message: string) => void): (message: string) => void {
  const given = new BoundedMap<string, true>(MAX_REMEMBERED)
  return message => {
    const words = inWordsOfRegister(message)
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
