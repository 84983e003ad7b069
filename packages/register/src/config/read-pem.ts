import { readFileSync } from 'node:fs'
import { LanewayError } from '@laneway/core'

/** @throws LanewayError `LANEWAY_INVALID_OPTION` */
export function readPem(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const why = (cause as Error).message
    throw new LanewayError('LANEWAY_INVALID_OPTION', `${variable} names a file that cannot be read: ${why}`, { cause })
  }
}
