import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseLane } from '@laneway/core'
import t, { type Test } from 'tap'
import {
  createFileSource,
  createLaneResolver,
  type EndpointInput,
  type FileSourceOptions,
  type Source,
} from '../src/index.js'

type Report =
  | { kind: 'snapshot'; endpoints: readonly EndpointInput[] }
  | { kind: 'missing' }
  | { kind: 'stale'; error: Error }

/** What a source says about `sc-B`, one report at a time. */
function listen(source: Source, service = 'sc-B') {
  const reports: Report[] = []
  let wake = () => {}
  const hear = (report: Report) => {
    reports.push(report)
    wake()
  }
  const stop = source.subscribe(service, {
    snapshot: endpoints => hear({ kind: 'snapshot', endpoints }),
    missing: () => hear({ kind: 'missing' }),
    stale: error => hear({ kind: 'stale', error }),
  })
  return {
    stop,
    reports,
    async next(): Promise<Report> {
      // A watch holds no process open, so the wait does.
      const stay = setInterval(() => {}, 1000)
      while (reports.length === 0) await new Promise<void>(resolve => (wake = resolve))
      clearInterval(stay)
      return reports.shift()!
    },
  }
}

const services = (...ports: number[]) =>
  JSON.stringify({ services: { 'sc-B': ports.map(port => ({ host: '10.0.0.1', port })) } })

function fileSource(t: Test, path: string, options: FileSourceOptions = {}) {
  const warnings: string[] = []
  const source = createFileSource(path, { warn: message => warnings.push(message), pollMs: 50, ...options })
  t.teardown(() => source.close())
  return { source, warnings, ...listen(source) }
}

const ports = (report: Report) => (report.kind === 'snapshot' ? report.endpoints.map(one => one.port) : report.kind)

t.test('the file is read at once, so that the first request finds its service', async t => {
  const path = join(t.testdir({ 'services.json': services(1, 2, 3) }), 'services.json')
  const source = createFileSource(path)
  const resolver = createLaneResolver({ sources: [source], env: {} })
  t.teardown(() => resolver.close())
  t.equal(resolver.match('sc-b', undefined, false), 'sc-B', 'a file lists its services')
  t.equal(resolver.pick('sc-B', undefined).outcome, 'base')
})

t.test('a change is read, in place or renamed over', async t => {
  const dir = t.testdir({ 'services.json': services(1) })
  const path = join(dir, 'services.json')
  const { next } = fileSource(t, path, { pollMs: 60_000 })
  t.strictSame(ports(await next()), [1])
  writeFileSync(path, services(2, 3))
  t.strictSame(ports(await next()), [2, 3])
  writeFileSync(join(dir, 'new.json'), services(4))
  renameSync(join(dir, 'new.json'), path)
  t.strictSame(ports(await next()), [4])
  writeFileSync(path, '{"services":{"other":[]}}')
  t.equal(ports(await next()), 'missing')
})

t.test('a file is watched through symlink swaps as ConfigMaps do', async t => {
  const dir = t.testdir({ '..2024_1': { 'services.json': services(1) }, '..2024_2': { 'services.json': services(2) } })
  symlinkSync('..2024_1', join(dir, '..data'))
  symlinkSync('..data/services.json', join(dir, 'services.json'))
  const { next } = fileSource(t, join(dir, 'services.json'), { pollMs: 60_000 })
  t.strictSame(ports(await next()), [1])
  for (const turn of [2, 3, 4]) {
    mkdirSync(join(dir, `..2024_${turn}`), { recursive: true })
    writeFileSync(join(dir, `..2024_${turn}`, 'services.json'), services(turn))
    symlinkSync(`..2024_${turn}`, join(dir, '..data_tmp'))
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'))
    rmSync(join(dir, `..2024_${turn - 1}`), { recursive: true })
    t.strictSame(ports(await next()), [turn])
  }
})

t.test('what no watch sees is found by looking: a link into another directory', async t => {
  const dir = t.testdir({ etc: {}, data: { 'services.json': services(1) } })
  symlinkSync(join(dir, 'data', 'services.json'), join(dir, 'etc', 'services.json'))
  const { next } = fileSource(t, join(dir, 'etc', 'services.json'), { pollMs: 10 })
  t.strictSame(ports(await next()), [1])
  writeFileSync(join(dir, 'data', 'services.json'), services(2))
  t.strictSame(ports(await next()), [2])
})

t.test('a file, and its directory, may come later', async t => {
  const dir = t.testdir({})
  const { next, source, warnings } = fileSource(t, join(dir, 'later', 'services.json'), { pollMs: 10 })
  const first = await next()
  t.match(first, { kind: 'stale', error: { code: 'LANEWAY_SOURCE', message: /ENOENT.*nothing to use/ } })
  t.equal(warnings.length, 1)
  let listed: ReadonlySet<string> | undefined
  source.list?.(names => (listed = names))
  t.equal(listed, undefined, 'nothing is known, which is not the same as no services')
  mkdirSync(join(dir, 'later'))
  writeFileSync(join(dir, 'later', 'services.json'), services(1))
  t.strictSame(ports(await next()), [1])
  t.strictSame([...(listed ?? [])], ['sc-B'])
})

t.test('an invalid file keeps the last good one and says so, once', async t => {
  const path = join(t.testdir({ 'services.json': services(1) }), 'services.json')
  const { source, next, warnings } = fileSource(t, path)
  const resolver = createLaneResolver({ sources: [source], services: ['sc-B'], env: {} })
  t.teardown(() => resolver.close())
  await next()
  writeFileSync(path, '{\n  "services": {\n    "sc-B": [}\n  }\n}')
  const report = await next()
  t.match(report, {
    kind: 'stale',
    error: { code: 'LANEWAY_SOURCE', message: /line 3, column 14.*last good one stays/s },
  })
  t.equal(resolver.pick('sc-B', undefined).outcome, 'base')
  t.equal(resolver.state('sc-B')?.status, 'stale')
  t.equal(warnings.length, 1)
  t.match(warnings[0], path)
  writeFileSync(path, services(1))
  t.strictSame(ports(await next()), [1], 'the same content as before, but good again')
  t.equal(resolver.state('sc-B')?.status, 'current')
  rmSync(path)
  t.match(await next(), { kind: 'stale', error: { message: /ENOENT/ } })
  t.equal(resolver.pick('sc-B', undefined).outcome, 'base', 'a file that vanished as well')
})

const invalid: readonly [name: string, text: string, message: RegExp][] = [
  ['empty', '', /not JSON at line 1, column 1/],
  ['cut off', '{"services": {', /not JSON at line 1, column 15/],
  ['a list', '[]', /takes an options object/],
  ['null', 'null', /takes an options object/],
  ['no services', '{}', /services maps service names/],
  ['services as a list', '{"services":[]}', /services maps service names/],
  ['an unknown key', '{"servces":{}}', /did you mean "services"/],
  ['a service that is no list', '{"services":{"sc-B":{}}}', /services\["sc-B"\] is a list/],
  ['a service without name', '{"services":{"":[]}}', /no service name/],
  ['two services that differ by case', '{"services":{"a":[],"b":[],"A":[]}}', /differ only by case/],
  ['an endpoint that is no object', '{"services":{"sc-B":["10.0.0.1:80"]}}', /services\["sc-B"\]\[0\]/],
  ['a misspelt tags', '{"services":{"sc-B":[{"host":"a","port":1,"tag":["gray"]}]}}', /did you mean "tags"/],
  ['tags as text', '{"services":{"sc-B":[{"host":"a","port":1,"tags":"gray"}]}}', /\[0\]\.tags is a list/],
  ['a tag outside the grammar', '{"services":{"sc-B":[{"host":"a","port":1,"tags":["a b"]}]}}', /\[0\]: tags/],
  ['a port as text', '{"services":{"sc-B":[{"host":"a","port":"1"}]}}', /\[0\]: port/],
  ['a bad second endpoint', '{"services":{"sc-B":[{"host":"a","port":1},{"host":"a/b","port":1}]}}', /\[1\]: host/],
  [
    'metadata that is no text',
    '{"services":{"sc-B":[{"host":"a","port":1,"metadata":{"x":1}}]}}',
    /metadata\["x"\] is a string/,
  ],
  ['labels as a list', '{"services":{"sc-B":[{"host":"a","port":1,"labels":[]}]}}', /\[0\]\.labels maps/],
  [
    'labels that contradict themselves',
    '{"services":{"sc-B":[{"host":"a","port":1,"labels":{"opensergo.io/canary-a":"b"}}]}}',
    /\[0\]: tags/,
  ],
]

t.test('each problem of a file is reported with its place', async t => {
  for (const [name, text, message] of invalid) {
    const path = join(t.testdir({ [`${name}.json`]: text }), `${name}.json`)
    const { next, source } = fileSource(t, path)
    t.match(await next(), { kind: 'stale', error: { code: 'LANEWAY_SOURCE', message } }, name)
    await source.close()
  }
})

t.test('the lanes of an endpoint are its tags together with those of metadata and labels', async t => {
  const file = {
    services: {
      'sc-B': [
        { host: '10.0.0.1', port: 1 },
        { host: '10.0.0.1', port: 2, tags: ['gray'], weight: 2, health: 'healthy', enabled: true, zone: 'a' },
        { host: '10.0.0.1', port: 3, labels: { 'alicloud.service.tag': 'blue' } },
        { host: '10.0.0.1', port: 4, metadata: { 'opensergo.io/canary-red': 'red' }, tags: ['gray-2'] },
        { host: '10.0.0.1', port: 5, metadata: { version: 'v5' } },
      ],
    },
  }
  const path = join(t.testdir({ 'services.json': `\uFEFF${JSON.stringify(file)}` }), 'services.json')
  const source = createFileSource(path, { tagsFrom: ['version'] })
  const resolver = createLaneResolver({ sources: [source], services: ['sc-B'], env: {} })
  t.teardown(() => resolver.close())
  const port = (lane?: string) => resolver.pick('sc-B', parseLane(lane)).endpoint?.port
  t.strictSame([undefined, 'gray', 'blue', 'red', 'gray-2', 'v5'].map(port), [1, 2, 3, 4, 4, 5])
})

t.test('after close the source reports nothing', async t => {
  const path = join(t.testdir({ 'services.json': services(1) }), 'services.json')
  const { source, next, reports, stop } = fileSource(t, path, { pollMs: 1 })
  await next()
  stop()
  stop()
  writeFileSync(path, services(2))
  const other = listen(source)
  t.strictSame(ports(await other.next()), [1])
  t.strictSame(ports(await other.next()), [2])
  t.equal(reports.length, 0, 'nor to a listener that unsubscribed')
  await source.close()
  await source.close()
})

t.test('wrong options are refused', async t => {
  t.throws(() => createFileSource(''), { code: 'LANEWAY_INVALID_OPTION' })
  t.throws(() => createFileSource(7 as never), { code: 'LANEWAY_INVALID_OPTION' })
  t.throws(() => createFileSource('x', { poll: 1 } as never), {
    code: 'LANEWAY_INVALID_OPTION',
    message: /did you mean "pollMs"/,
  })
  for (const pollMs of [0, Number.NaN, 2 ** 31])
    t.throws(() => createFileSource('x', { pollMs }), { code: 'LANEWAY_INVALID_OPTION' })
})
