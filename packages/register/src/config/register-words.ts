import { LanewayError } from '@laneway/core'
import { variableOf } from './config.js'

/** Functions that a user of this package has never called. */
const OURS =
  'LANEWAY|createAgentPatch|createUndiciPatch|createLaneResolver|createFileSource|createKubernetesSource|laneServer'
const OPTION_OF = new RegExp(`\\bthe option (\\w+) of (?:${OURS})\\b`, 'g')
const PREFIX = new RegExp(`\\b(?:${OURS}): (\\w+)`, 'g')

/** A message of another package, with the settings of this one: `LANEWAY_PROPAGATE_TO`, not `the option propagateTo of …`. */
export function inWordsOfRegister(message: string): string {
  return message
    .replace(OPTION_OF, (whole, option: string) => variableOf(option) ?? whole)
    .replace(PREFIX, (whole, option: string) => variableOf(option) ?? whole)
    .replace('in services, or give it a host in aliases', 'in LANEWAY_SERVICES')
}

/** Messages that are remembered. */
const MAX_SAID = 1000

/** Two patches see the same host, and say the same of it: it is said once. */
export function createWarn(warn: (message: string) => void): (message: string) => void {
  const said = new Set<string>()
  return message => {
    const words = inWordsOfRegister(message)
    if (said.has(words)) return
    // Hosts are part of messages, and come from requests.
    if (said.size >= MAX_SAID) said.clear()
    said.add(words)
    warn(words)
  }
}

/** Runs the start; what it throws is told in the words of this package. */
export function startInWords<T>(start: () => T): T {
  try {
    return start()
  } catch (error) {
    if (!(error instanceof LanewayError)) throw error
    const message = inWordsOfRegister(error.text)
    throw message === error.text ? error : new LanewayError(error.code, message, { cause: error })
  }
}
