import { readFileSync } from 'node:fs'
import { LanewayError } from '@laneway/core'
import type { OptionPlace } from '@laneway/core/internal'

/**
 * Reads a file that a configuration is or names.
 *
 * @param named - the option that names it; without, it is the configuration itself or one of its manifests
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for a file that an option names, `LANEWAY_SOURCE` for the others
 */
export function readText(file: string, named?: OptionPlace): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const { message } = cause as Error
    if (named !== undefined) throw named.invalid(`cannot be read: ${message}`, cause)
    throw new LanewayError('LANEWAY_SOURCE', `${file} cannot be read: ${message}`, { cause })
  }
}
