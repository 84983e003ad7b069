import { LanewayError } from '@laneway/core'
import { assertKnownKeys, describe } from '@laneway/core/internal'
import type { EndpointInput } from '../endpoint/endpoint.js'
import { parseEndpoint } from '../endpoint/parse-endpoint.js'
import { tagsOfMetadata } from '../endpoint/tags-of-metadata.js'
import { ReadLists } from './read-lists.js'

const FILE_KEYS = ['services']
const ENDPOINT_KEYS = ['host', 'port', 'weight', 'health', 'enabled', 'secure', 'zone', 'tags', 'metadata', 'labels']

/**
 * Reads the text of a services file:
 *
 * ```json
 * { "services": { "sc-B": [{ "host": "10.0.0.7", "port": 8080, "tags": ["gray"] }] } }
 * ```
 *
 * An endpoint has the fields of `EndpointInput`; `labels` may take the place of, or add to, `metadata`, as pods have them.
 * Its lanes are `tags` together with those that metadata and labels name. A file is written by people, so anything unknown
 * or unusable refuses the whole of it: a misspelt `tags` would turn a gray endpoint into base.
 *
 * @param tagsFrom - further metadata names whose value is a tag
 * @param known - what was read of this file before
 * @throws LanewayError `LANEWAY_SOURCE`, with line and column where the text is no JSON, else with the path
 */
export function parseServicesFile(
  text: string,
  tagsFrom: readonly string[],
  known = new ReadLists(),
): Map<string, readonly EndpointInput[]> {
  const content = parseJson(text)
  refuseBy('the file', () => assertKnownKeys('the file', content as object, FILE_KEYS))
  const lists = (content as { services?: unknown }).services
  if (typeof lists !== 'object' || lists === null || Array.isArray(lists)) {
    throw invalid(`services maps service names to lists of endpoints, received ${describe(lists)}`)
  }
  const spellings = new Map<string, string>()
  for (const service of Object.keys(lists)) {
    const where = placeOf(service)
    const other = spellings.get(service.toLowerCase())
    if (other !== undefined) throw invalid(`${where} and "${other}" differ only by case`)
    spellings.set(service.toLowerCase(), service)
    if (service === '' || /[\s,]/.test(service)) throw invalid(`${where} is no service name`)
  }
  return known.readAll(Object.entries(lists), (service, list: unknown) => {
    const where = placeOf(service)
    if (!Array.isArray(list)) throw invalid(`${where} is a list of endpoints, received ${describe(list)}`)
    return list.map((endpoint, index) => readEndpoint(endpoint, `${where}[${index}]`, tagsFrom))
  })
}

function placeOf(service: string): string {
  return `services[${JSON.stringify(service)}]`
}

function readEndpoint(value: unknown, where: string, tagsFrom: readonly string[]): EndpointInput {
  refuseBy(where, () => assertKnownKeys(where, value as object, ENDPOINT_KEYS))
  const { labels, ...rest } = value as EndpointInput & { labels?: unknown }
  const metadata = { ...readStrings(labels, `${where}.labels`), ...readStrings(rest.metadata, `${where}.metadata`) }
  const { tags: own = [] } = rest
  if (!Array.isArray(own)) throw invalid(`${where}.tags is a list of lane tags, received ${describe(own)}`)
  const input: EndpointInput = { ...rest, metadata, tags: [...own, ...tagsOfMetadata(metadata, tagsFrom)] }
  parseEndpoint(input, {
    // Whether it may be used is the resolver's decision; here only its form is.
    allowLinkLocal: true,
    refused: problem => {
      throw invalid(`${where}: ${problem}`)
    },
  })
  return input
}

function readStrings(value: unknown, where: string): Record<string, string> {
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(`${where} maps names to strings, received ${describe(value)}`)
  }
  for (const [key, one] of Object.entries(value)) {
    if (typeof one !== 'string')
      throw invalid(`${where}[${JSON.stringify(key)}] is a string, received ${describe(one)}`)
  }
  return value as Record<string, string>
}

function parseJson(text: string): unknown {
  try {
    // Editors of another system leave a byte order mark.
    return JSON.parse(text.startsWith('\uFEFF') ? ` ${text.slice(1)}` : text)
  } catch (error) {
    const position = positionOf(text, (error as Error).message)
    throw new LanewayError('LANEWAY_SOURCE', `not JSON${position}: ${(error as Error).message}`, { cause: error })
  }
}

/** Node 20 names the offset only, and for an unexpected token not even that. */
function positionOf(text: string, message: string): string {
  const offset = offsetIn(message) ?? offsetOfError(text)
  const before = text.slice(0, offset)
  return ` at line ${before.split('\n').length}, column ${offset - before.lastIndexOf('\n')}`
}

function offsetIn(message: string): number | undefined {
  const named = /at position (\d+)/.exec(message)
  return named === null ? undefined : Number(named[1])
}

/** The longest beginning of the text that is wrong for being cut off only; what comes next is the error. */
function offsetOfError(text: string): number {
  let good = 0
  let bad = text.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isCutOff(text.slice(0, middle))) good = middle
    else bad = middle
  }
  return good
}

function isCutOff(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    const { message } = error as Error
    return /end of JSON|Unterminated/.test(message) || offsetIn(message) === text.length
  }
}

function refuseBy(where: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    throw new LanewayError('LANEWAY_SOURCE', `${where} is not understood: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function invalid(message: string): LanewayError {
  return new LanewayError('LANEWAY_SOURCE', message)
}
