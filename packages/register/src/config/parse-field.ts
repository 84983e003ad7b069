import { LanewayError } from '@laneway/core'
import { assertOneOf, describe } from '@laneway/core/internal'
import type { Field } from './fields/field.js'

/**
 * Reads the value of a setting: the text of a variable, or what a configuration file holds.
 *
 * @param where - the variable or the place in the file, for the message
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function parseField(where: string, given: unknown, { kind, least = 0, most = Infinity }: Field): unknown {
  const isVariable = where.startsWith('LANEWAY_')
  const refuse = (wanted: string) =>
    new LanewayError('LANEWAY_INVALID_OPTION', `${where} is ${wanted}, received ${describe(given)}`)
  switch (kind) {
    case 'integer': {
      const value = isVariable ? Number(given) : given
      if (typeof value !== 'number' || !Number.isInteger(value) || !(value >= least && value <= most)) {
        const unit = /ms$/i.test(where) ? ' of milliseconds' : ''
        const quotes = !isVariable && typeof given === 'string' ? ', without quotes' : ''
        throw refuse(`a whole number${unit} from ${least}${most === Infinity ? '' : ` to ${most}`}${quotes}`)
      }
      return value
    }
    case 'flag-or-mse':
    case 'flag': {
      if (kind === 'flag-or-mse' && given === 'mse') return given
      const value = isVariable ? FLAGS.get(String(given)) : given
      if (typeof value !== 'boolean')
        throw refuse((isVariable ? '1 (on) or 0 (off)' : 'true or false') + (kind === 'flag' ? '' : ', or mse'))
      return value
    }
    case 'list': {
      const value = typeof given === 'string' ? splitList(given) : given
      if (!Array.isArray(value) || value.some(one => typeof one !== 'string')) throw refuse('a list of names')
      return value
    }
    case 'map': {
      const value = typeof given === 'string' ? splitPairs(given) : given
      if (!isTextMap(value)) throw refuse('a list of key=value pairs, separated by commas')
      return value
    }
    case 'json':
      if (!isVariable) return given
      try {
        return JSON.parse(String(given))
      } catch (cause) {
        throw refuse(`JSON (${(cause as Error).message})`)
      }
    case 'text':
    case 'secret':
      if (typeof given !== 'string') {
        // Never with the value: it may be a password.
        throw new LanewayError('LANEWAY_INVALID_OPTION', `${where} is a text, received a ${typeof given}`)
      }
      return given
    default:
      assertOneOf(where, given, kind)
      return given
  }
}

const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['1', true],
  ['true', true],
  ['0', false],
  ['false', false],
])

function splitList(text: string): string[] {
  return text
    .split(',')
    .map(one => one.trim())
    .filter(one => one !== '')
}

function splitPairs(text: string): Record<string, string> | undefined {
  const pairs = splitList(text).map(pair => [pair.split('=', 1)[0]!.trim(), pair.slice(pair.indexOf('=') + 1).trim()])
  if (splitList(text).some(pair => pair.indexOf('=') < 1)) return undefined
  return Object.fromEntries(pairs)
}

function isTextMap(value: unknown): value is Record<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every(one => typeof one === 'string')
}
