import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseControl } from '@laneway/core/internal'
import type { RegisterConfig } from '@laneway/register/settings'
import { isLanewayError } from '../laneway-error.js'
import { type CheckResult, error } from './finding.js'

/** What a control file says, since when, and whether a process would take it. */
export function checkControl({ control: place }: RegisterConfig, folder: string): CheckResult {
  if (place === undefined) return {}
  if (place.startsWith('nacos:')) return { facts: [`${place}: health() of a process says what is active`] }
  const file = resolve(folder, place)
  let text: string
  let since: string
  try {
    text = readFileSync(file, 'utf8')
    since = statSync(file).mtime.toISOString()
  } catch (cause) {
    if ((cause as { code?: unknown }).code === 'ENOENT') return { facts: [`${place} is not there: Laneway is on`] }
    return {
      findings: [
        error(`LANEWAY_CONTROL names a file that cannot be read: ${(cause as Error).message}`, 'mend the path'),
      ],
    }
  }
  try {
    const { enabled, propagateTo, resolver } = parseControl(text, place)
    const names = [...(propagateTo === undefined ? [] : ['propagateTo']), ...Object.keys(resolver)]
    return {
      facts: [`${place} of ${since}: ${enabled ? 'on' : 'OFF'}${names.length > 0 ? `, ${names.join(', ')}` : ''}`],
    }
  } catch (cause) {
    if (!isLanewayError(cause)) throw cause
    return {
      findings: [error(`the control document is wrong: ${cause.text}`, 'mend it; processes keep the last good one')],
    }
  }
}
