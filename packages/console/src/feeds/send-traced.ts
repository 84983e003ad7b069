import { formatPath, tracePath } from '@laneway/core'

/**
 * Sends a request that asks for its path.
 *
 * @param lines - headers, `name: value`
 * @param token - what the entrance has as `LANEWAY_TRACE_TOKEN`; a header may say another
 * @returns the path in lines
 * @throws Error for what is no header, and when no answer comes
 */
export async function sendTraced(url: string, lines: readonly string[], token?: string): Promise<readonly string[]> {
  const headers: Record<string, string> = Object.create(null)
  if (token !== undefined) headers['x-laneway-trace'] = token
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new Error(`a header is 'name: value', received ${JSON.stringify(line)}`)
    headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim()
  }
  const { status, path } = await tracePath(url, { headers })
  if (path === undefined) return [`HTTP ${status}, and no path: whoever answered does not let this client trace`]
  return formatPath(path).trimEnd().split('\n')
}
