import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LanewayError } from '@laneway/core'
import type { RegisterConfig } from '@laneway/register/settings'
import { type CheckResult, error } from './finding.js'

/** Whether the rules of the settings can be read; a process with bad ones does not start. */
export async function checkRules({ rules: file }: RegisterConfig, folder: string): Promise<CheckResult> {
  if (file === undefined) return {}
  let text: string
  try {
    text = readFileSync(resolve(folder, file), 'utf8')
  } catch (cause) {
    return {
      findings: [
        error(
          `LANEWAY_RULES names a file that cannot be read: ${(cause as Error).message}`,
          'mend the path or the file',
        ),
      ],
    }
  }
  // Only now: the parser of YAML comes with it.
  const { parseRules } = await import('@laneway/rules')
  try {
    const { size } = parseRules(text, { source: file })
    return { facts: [`${file}, ${size} ${size === 1 ? 'rule' : 'rules'}`] }
  } catch (cause) {
    if (!(cause instanceof LanewayError)) throw cause
    const problem = cause.text.split('\n')[0]
    return { findings: [error(`the rules are wrong: ${problem}`, `npx laneway check ${file}`)] }
  }
}
