import { checkHeaderName, checkKeys, isFields } from '../document/check-condition.js'
import { Problems } from '../document/problems.js'
import { listOf } from './http-route.js'
import type { HeaderModifier } from './manifest.js'

/** Headers by lower-case name, as Node's clients and servers have them. */
export type Headers = Record<string, string | string[] | undefined>

/**
 * Compiles a `RequestHeaderModifier`: set overwrites, add appends to the present value (`a,b`), remove removes. The function
 * changes and returns its argument, and never throws. Names in the modifier may have any case; in the argument they are
 * lower case. https://gateway-api.sigs.k8s.io/reference/spec/#httpheaderfilter
 *
 * @throws LanewayError `LANEWAY_INVALID_RULES`; a name under two actions is refused, its outcome would be undefined
 */
export function createHeaderModifier(modifier: HeaderModifier): (headers: Headers) => Headers {
  const problems = new Problems()
  const seen = new Set<string>()
  const note = (value: unknown, path: (string | number)[]): string => {
    checkHeaderName(value, path, problems)
    const name = String(value).toLowerCase()
    if (seen.has(name)) problems.add(path, `${name} has an action already`)
    seen.add(name)
    return name
  }
  const pairs = (action: 'set' | 'add'): [string, string][] =>
    listOf(modifier[action], [action], problems).map((entry, index) => {
      const { name, value } = isFields(entry) ? entry : { name: undefined, value: undefined }
      if (typeof value !== 'string' || UNSAFE.test(value)) problems.add([action, index, 'value'], 'is no header value')
      return [note(name, [action, index, 'name']), String(value)]
    })
  checkKeys({ ...modifier }, ['set', 'add', 'remove'], [], problems)
  const set = pairs('set')
  const add = pairs('add')
  const remove = listOf(modifier.remove, ['remove'], problems).map((name, index) => note(name, ['remove', index]))
  problems.throwIfAny('requestHeaderModifier')

  return function modifyHeaders(headers) {
    for (const name of remove) delete headers[name]
    for (const [name, value] of set) headers[name] = value
    for (const [name, value] of add) {
      const present = headers[name]
      if (present === undefined) headers[name] = value
      else headers[name] = `${Array.isArray(present) ? present.join(',') : present},${value}`
    }
    return headers
  }
}

/** Characters that end a header line, or are no octet. RFC 9110 section 5.5. */
const UNSAFE = /[\0\r\n]|[^\t\x20-\xff]/
