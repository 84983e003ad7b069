import { existsSync, readFileSync } from 'node:fs'

/** Reads a label or annotation from a file of Kubernetes' downward API, whose lines are `key="value"`, Go-quoted. */
export function downwardValue(file: string, key: string): string | undefined {
  // Mostly there is none, and the error of a failed read takes eight times as long.
  if (!existsSync(file)) return undefined
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const quoted = text
    .split('\n')
    .find(line => line.startsWith(`${key}=`))
    ?.slice(key.length + 1)
    .trim()
  if (quoted === undefined) return undefined
  try {
    return String(JSON.parse(quoted))
  } catch {
    return quoted
  }
}
