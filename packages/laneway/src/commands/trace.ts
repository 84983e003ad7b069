import { formatPath, type LanePath, type TracedAnswer, tracePath } from '@laneway/core'
import { createPaint, type Paint } from '../terminal/paint.js'
import { tableOf } from '../terminal/table.js'
import { type CommandWorld, EXIT } from '../terminal/world.js'
import { differencesOf, groupPaths, type PathGroup } from '../trace/path-groups.js'

export interface TraceCommandOptions {
  readonly header: readonly string[]
  readonly method: string
  readonly data?: string
  readonly count: number
  readonly timeout: number
  readonly json?: boolean
}

/** Requests on their way at a time, with `-n`. */
const AT_A_TIME = 4

/** Prints the path of a request, or the paths of many with their counts. */
export async function trace(url: string, options: TraceCommandOptions, world: CommandWorld): Promise<number> {
  const headers = headersOf(options.header, world)
  if (headers === undefined || !URL.canParse(url)) {
    if (headers !== undefined) world.writeError(`${url} is no URL, such as http://localhost:8080/a\n`)
    return EXIT.usage
  }
  const { count, method, data, timeout } = options
  const send = () =>
    tracePath(url, {
      method,
      headers,
      ...(data !== undefined && { body: data }),
      timeoutMs: timeout,
      signal: world.signal,
    })
  const answers: TracedAnswer[] = []
  let left = count
  let failure: Error | undefined
  const worker = async () => {
    while (left-- > 0 && failure === undefined) answers.push(await send())
  }
  try {
    await Promise.all(Array.from({ length: Math.min(AT_A_TIME, count) }, worker))
  } catch (error) {
    failure = error as Error
  }
  if (failure !== undefined) {
    world.writeError(`${method} ${url} was not answered: ${failure.message || failure.name}\n`)
    return failure instanceof TypeError ? EXIT.usage : EXIT.unreachable
  }
  const paths = answers.flatMap(({ path }) => (path === undefined ? [] : [path]))
  if (paths.length === 0) {
    world.writeError(noPath(answers[0]!))
    return EXIT.wrong
  }
  if (count === 1) world.write(options.json ? `${JSON.stringify(jsonOf(answers[0]!))}\n` : formatPath(paths[0]!))
  else printGroups(paths, count, options, world)
  return EXIT.ok
}

function printGroups(
  paths: readonly LanePath[],
  count: number,
  { json }: TraceCommandOptions,
  world: CommandWorld,
): void {
  const groups = groupPaths(paths)
  if (json) {
    for (const { summary, count, path } of groups) world.write(`${JSON.stringify({ count, summary, path })}\n`)
    return
  }
  const without = count - paths.length
  const missing = without === 0 ? '' : `, ${without} without a path`
  world.write(`${count} requests, ${groups.length} ${groups.length === 1 ? 'path' : 'paths'}${missing}\n`)
  world.write(tableOf(groups.map(({ count, summary }) => [`  ${String(count).padStart(5)}`, summary])))
  world.write(groups.length === 1 ? `\n${formatPath(groups[0]!.path)}` : differenceText(groups, createPaint(world)))
}

function differenceText(groups: readonly PathGroup[], paint: Paint): string {
  const rows = differencesOf(groups).map(({ place, seen }) => [
    `  ${paint('bold', place)}`,
    [...seen].map(([words, count]) => `${words}: ${count}`).join(', '),
  ])
  return rows.length === 0 ? '' : `\nthey differ at\n${tableOf(rows)}`
}

function jsonOf({ status, ms, path }: TracedAnswer): object {
  return { status, ms: Math.round(ms), path }
}

function noPath({ status }: TracedAnswer): string {
  return (
    `the answer, ${status}, has no path. One of: an entrance does not trust this sender, so give its token, ` +
    "-H 'x-laneway-trace: <LANEWAY_TRACE_TOKEN>', or a rule with trace: true; or LANEWAY_DISABLE has trace; or LANEWAY_CONTROL has switched Laneway off; or nothing of Laneway answered\n"
  )
}

function headersOf(lines: readonly string[], world: CommandWorld): Record<string, string[]> | undefined {
  const headers: Record<string, string[]> = Object.create(null)
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) {
      world.writeError(`--header ${JSON.stringify(line)} is not 'name: value'\n`)
      return undefined
    }
    const name = line.slice(0, colon).trim().toLowerCase()
    headers[name] = [...(headers[name] ?? []), line.slice(colon + 1).trim()]
  }
  return headers
}
