import { readFileSync } from 'node:fs'
import { LanewayError } from '@laneway/core'

/**
 * Reads a file that a configuration is or names.
 *
 * @param asked - the key that names it; without, it is the configuration itself or one of its manifests
 * @throws LanewayError `LANEWAY_INVALID_OPTION` for a named file, `LANEWAY_SOURCE` for one of the configuration's own
 */
export function readText(file: string, asked?: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const why = (cause as Error).message
    throw asked === undefined
      ? new LanewayError('LANEWAY_SOURCE', `${file} cannot be read: ${why}`, { cause })
      : new LanewayError('LANEWAY_INVALID_OPTION', `${asked} cannot be read: ${why}`, { cause })
  }
}
