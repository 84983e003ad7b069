import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { build } from './program.js'

const run = promisify(execFile)
const example = 'examples/otel-sdk-node'
const rules = `${example}/prometheus/lanes.rules.yml`
const has = (command: string) =>
  run(command, ['--version']).then(
    () => true,
    () => false,
  )
const tools = (await has('promtool')) && (await has('prometheus'))
const skip = tools ? false : 'promtool and prometheus are not installed (Debian package prometheus)'

interface Started {
  readonly service: string
  readonly port: number
  readonly metrics: number
}

async function service(t: Test, environment: Record<string, string>): Promise<Started> {
  const child = spawn(process.execPath, [`${example}/src/service.js`], {
    env: { ...process.env, NODE_OPTIONS: '', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  stopWith(t, child)
  const [line] = (await once(createInterface(child.stdout!), 'line')) as [string]
  return JSON.parse(line)
}

function stopWith(t: Test, child: ChildProcess): void {
  t.teardown(async () => {
    if (child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Every query of the dashboard, as Grafana would send it. */
function dashboardQueries(): { title: string; query: string }[] {
  const { panels } = JSON.parse(readFileSync(`${example}/grafana/lanes.json`, 'utf8'))
  return panels.flatMap((panel: { title: string; targets: { expr: string }[] }) =>
    panel.targets.map(({ expr }) => ({
      title: panel.title,
      query: expr.replaceAll('$__rate_interval', '2m').replaceAll('$job', '.*'),
    })),
  )
}

t.test('the rules pass promtool check rules and promtool test rules', { skip }, async t => {
  const { stdout } = await run('promtool', ['check', 'rules', rules])
  t.match(stdout, /SUCCESS: 11 rules found/)
  await run('promtool', ['test', 'rules', 'lanes.rules.test.yml'], { cwd: `${example}/prometheus` })
  await run('promtool', ['check', 'config', `${example}/prometheus/prometheus.yml`])
})

t.test('a real Prometheus scrapes the example and answers every query of the dashboard', { skip }, async t => {
  await build()
  const base = await service(t, { SERVICE: 'sc-b' })
  const gray = await service(t, { SERVICE: 'sc-b', LANEWAY_TAG: 'gray' })
  const instances = JSON.stringify([
    { host: '127.0.0.1', port: base.port },
    { host: '127.0.0.1', port: gray.port, tags: ['gray'] },
  ])
  const front = await service(t, { SERVICE: 'sc-a', SC_B: instances })
  const edge = await service(t, { SERVICE: 'sc-edge', SC_B: instances, TRUST: 'edge' })

  const send = async (to: Started, path: string, times: number, tag?: string) => {
    for (let sent = 0; sent < times; sent++) {
      const headers = tag === undefined ? {} : { 'x-mse-tag': tag }
      await (await fetch(`http://127.0.0.1:${to.port}${path}`, { headers })).arrayBuffer()
    }
  }
  const round = async (times: number) => {
    await send(front, '/call', 6 * times)
    await send(front, '/call', 3 * times, 'gray')
    await send(front, '/call-fail', times, 'gray')
    await send(front, '/call', times, 'blue')
    await send(front, '/call', times, 'not a tag')
    await send(front, '/outside', times, 'gray')
    await send(edge, '/call', times, 'gray')
    await send(gray, '/', times)
  }

  const exposed = await exposedNames([base, gray, front, edge], () => round(1))
  const names = new Set(dashboardQueries().flatMap(({ query }) => query.match(/\blaneway_\w+(?=\{)/g) ?? []))
  for (const name of names) t.ok(exposed.has(name), `${name} is exposed`)
  t.ok(names.size >= 9, `${names.size} names`)

  const prometheus = await startPrometheus(t, { 'sc-a': [front], 'sc-b': [base, gray], 'sc-edge': [edge] })
  const total = 'sum(laneway_server_request_duration_seconds_count)'
  // 13 at sc-a, 12 of which call sc-b; 1 at the edge, which calls sc-b too; 1 straight to the gray instance of sc-b.
  const PER_ROUND = 13 + 12 + 2 + 1
  await prometheus.until(total, PER_ROUND)
  await round(2)
  await prometheus.until(total, 3 * PER_ROUND)
  // The last rule of its group, with what sc-a counted: all recorded series are there from this evaluation on.
  await prometheus.until('count(laneway:fallbacks:rate2m{job="sc-a"}) > bool 0', 1)
  await prometheus.until('count(laneway:server_error_ratio:rate2m{job="sc-a", laneway_lane="gray"}) > bool 0', 1)
  const { query } = prometheus

  for (const { title, query: text } of dashboardQueries()) {
    t.ok((await query(text)).length > 0, `${title}: ${text}`)
  }
  const table = async (text: string, ...labels: string[]) =>
    Object.fromEntries((await query(text)).map(one => [labels.map(label => one.metric[label]).join(' '), one.value]))

  t.strictSame(
    await table(totalOf('Requests by lane of the request'), 'job', 'laneway_lane', 'laneway_instance_lane'),
    {
      'sc-a base base': 3 * 7,
      'sc-a gray base': 3 * 5,
      'sc-a _other base': 3 * 1,
      'sc-b base base': 3 * 8,
      'sc-b base gray': 3 * 1,
      'sc-b gray gray': 3 * 4,
      'sc-b _other base': 3 * 1,
      'sc-edge base base': 3 * 1,
    },
    'requests by lane of request and instance',
  )
  t.strictSame(await table(totalOf('Where lanes come from'), 'job', 'lane', 'source'), {
    'sc-a base none': 3 * 7,
    'sc-a gray header': 3 * 5,
    'sc-a _other header': 3 * 1,
    'sc-b base none': 3 * 9,
    'sc-b gray header': 3 * 4,
    'sc-b _other header': 3 * 1,
    'sc-edge base none': 3 * 1,
  })
  const decisions = 'sum by (service, lane, served, outcome) (laneway_decisions_total{job="sc-a"})'
  t.strictSame(await table(decisions, 'service', 'lane', 'served', 'outcome'), {
    'sc-b base base base': 3 * 7,
    'sc-b gray gray lane': 3 * 4,
    'sc-b _other base fallback-missing': 3 * 1,
  })
  const one = async (name: string, job: string) => (await table(`sum by (job) (${name})`, 'job'))[job]
  t.equal(await one('laneway_tags_stripped_total', 'sc-edge'), 3)
  t.equal(await one('laneway_tags_invalid_total', 'sc-a'), 3)
  t.equal(await one('laneway_egress_blocked_total', 'sc-a'), 3)
  t.equal(await one('laneway_escapes_total', 'sc-b'), 3)
  t.strictSame(await table('max by (lane, state) (laneway_endpoints{job="sc-a"})', 'lane', 'state'), {
    'base usable': 1,
    'base ejected': 0,
    'base unusable': 0,
    'gray usable': 1,
    'gray ejected': 0,
    'gray unusable': 0,
  })
  const ratios = await table('laneway:server_error_ratio:rate2m{job="sc-a"}', 'laneway_lane')
  // One of five requests in lane gray failed; all series were scraped at the same moments.
  t.ok(Math.abs(ratios['gray']! - 0.2) < 1e-9, `error ratio of lane gray: ${ratios['gray']}`)
  t.equal(ratios['base'], 0)

  function totalOf(title: string): string {
    return dashboardQueries().find(panel => panel.title.startsWith(title))!.query
  }
})

/** The metric names that Prometheus will have: as exposed, with the units of the relabelling, and as recorded. */
async function exposedNames(services: Started[], before: () => Promise<void>): Promise<Set<string>> {
  await before()
  const found = new Set<string>()
  for (const { metrics } of services) {
    const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    for (const line of text.split('\n')) if (!line.startsWith('#')) found.add(line.split(/[{ ]/)[0]!)
  }
  const relabel = readFileSync(`${example}/prometheus/prometheus.yml`, 'utf8').match(/regex: "(.*)"/)![1]!
  return new Set([...found].map(name => name.replace(new RegExp(`^${relabel}$`), '$1_seconds$2')))
}

async function startPrometheus(t: Test, jobs: Record<string, Started[]>) {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-prometheus-'))
  // The configuration of the example with the ports of this run.
  const config = readFileSync(`${example}/prometheus/prometheus.yml`, 'utf8')
  const head = config.slice(0, config.indexOf('scrape_configs:')).replaceAll('15s', '1s')
  const relabel = config.match(/- source_labels[\s\S]*?replacement: .*\n/)![0]
  const scrapes = Object.entries(jobs).map(([job, instances]) => {
    const targets = instances.map(({ metrics }) => `"127.0.0.1:${metrics}"`).join(', ')
    return `  - job_name: ${job}\n    static_configs:\n      - targets: [${targets}]\n    metric_relabel_configs:\n      ${relabel}`
  })
  writeFileSync(join(folder, 'prometheus.yml'), `${head}scrape_configs:\n${scrapes.join('\n')}`)
  writeFileSync(join(folder, 'lanes.rules.yml'), readFileSync(rules))
  const port = await freePort()
  const child = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let log = ''
  child.stderr.on('data', chunk => {
    log += chunk
  })
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  stopWith(t, child)

  const query = async (text: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`)
    const { status, data, error } = (await response.json()) as any
    if (status !== 'success') throw new Error(`${text}: ${error}`)
    return data.result.map(({ metric, value }: any) => ({ metric, value: Number(value[1]) })) as {
      metric: Record<string, string>
      value: number
    }[]
  }
  return {
    query,
    /** Waits for scrapes and evaluations until a query gives a number. */
    async until(text: string, wanted: number): Promise<void> {
      const deadline = Date.now() + 300_000
      let last: unknown
      while (Date.now() < deadline) {
        last = await query(text).then(
          ([first]) => first?.value,
          error => String(error),
        )
        if (last === wanted) return
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      throw new Error(`${text} is ${last} instead of ${wanted}\n${log.slice(-2000)}`)
    },
  }
}
