import { type LaneRow, RegistryView } from '@laneway/discovery/internal'
import { plainRows } from '../registry/plain-rows.js'
import { hasRegistry, openRegistries, readSettings, type SourceOptions } from '../registry/settings.js'
import { createPaint, type Paint } from '../terminal/paint.js'
import { ageText, tableOf } from '../terminal/table.js'
import { type CommandWorld, EXIT } from '../terminal/world.js'

export interface LanesOptions extends SourceOptions {
  readonly watch?: boolean
  readonly json?: boolean
  readonly timeout: number
  readonly kafka?: string
}

/** Redraws at most so often. */
const REDRAW_MS = 200
/** Ages grow while nothing changes. */
const REFRESH_MS = 5000
const CLEAR = '\u001b[H\u001b[2J'

/** Prints the services of the registries by lanes. */
export async function lanes(services: readonly string[], options: LanesOptions, world: CommandWorld): Promise<number> {
  const { kafka } = options
  if (kafka !== undefined) {
    return (await import('../kafka/lanes-of-kafka.js')).lanesOfKafka(services, { ...options, kafka }, world)
  }
  const config = readSettings(world, options)
  if (!hasRegistry(config)) {
    world.writeError(
      'no registry is configured: give --nacos host:8848, --kubernetes or --file endpoints.json, or set LANEWAY_NACOS\n',
    )
    return EXIT.usage
  }
  const warnings = new Set<string>()
  const { resolver, sources } = openRegistries(config, message => void warnings.add(message))
  let changed = false
  const view = new RegistryView(sources, () => {
    changed = true
  })
  try {
    if (services.length === 0) view.followAll()
    else for (const service of services) for (const source of sources) view.follow(service, source)
    await view.settled(options.timeout, world.signal)
    const paint = createPaint(world)
    const show = () => {
      const unanswered = new Set(view.unanswered)
      const known = [...view.services.values()].filter(service => !unanswered.has(service))
      const rows = plainRows(known, Date.now())
      if (options.json) world.write(`${JSON.stringify(rows)}\n`)
      else if (rows.length > 0 || view.lost.length + unanswered.size === 0) world.write(textOf(rows, paint))
    }
    if (!options.watch) {
      show()
      const code = endOf(view, world)
      if (code !== EXIT.ok) return code
      // The resolver warns of metadata when it takes the lists over.
      await Promise.all([...view.services.keys()].map(service => resolver?.ready(service).catch(() => {})))
      for (const warning of warnings) world.writeError(`${warning}\n`)
      return code
    }
    for (let drawn = 0; !world.signal.aborted; ) {
      if (changed || Date.now() - drawn >= REFRESH_MS) {
        // JSON is one line a change, for programs that read along.
        if (!options.json && world.isTerminal) world.write(CLEAR)
        if (changed || !options.json) show()
        changed = false
        drawn = Date.now()
        endOf(view, world)
      }
      await pause(REDRAW_MS, world.signal)
    }
    return EXIT.ok
  } finally {
    view.close()
    await resolver?.close()
  }
}

function textOf(rows: readonly LaneRow[], paint: Paint): string {
  if (rows.length === 0) return 'no services\n'
  const head = ['SERVICE', 'LANE', 'INSTANCES', 'HEALTHY', 'WEIGHT', 'VERSION', 'AGE'].map(name => paint('dim', name))
  let last = ''
  const body = rows.map(({ service, lane, instances, healthy, weight, versions, ageMs }) => {
    const name = service === last ? '' : paint('bold', service)
    last = service
    const state = healthy === 0 ? 'red' : healthy < instances ? 'yellow' : 'green'
    const isEmptyBase = lane === 'base' && instances === 0
    return [
      name,
      lane === 'base' ? lane : paint('cyan', lane),
      isEmptyBase ? paint('red', '0') : String(instances),
      paint(state, String(healthy)),
      String(weight),
      versions.join(', ') || '-',
      ageText(ageMs),
    ]
  })
  return tableOf([head, ...body])
}

/** Says which registries could not be reached, or refuse, and which services they did not answer for. */
function endOf(view: RegistryView, { writeError }: CommandWorld): number {
  const { lost, unanswered } = view
  for (const { source, error } of lost) {
    const problem = (error as { code?: string } | undefined)?.code === 'LANEWAY_AUTH' ? 'refuses' : 'cannot be reached'
    writeError(
      `${source.name}${source.where === undefined ? '' : ` ${source.where}`} ${problem}: ${error?.message ?? 'no answer in time'}\n`,
    )
  }
  if (lost.length === 0) {
    for (const { service, error } of unanswered) writeError(`${service}: ${error?.message ?? 'no answer in time'}\n`)
  }
  return lost.length + unanswered.length > 0 ? EXIT.unreachable : EXIT.ok
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}
