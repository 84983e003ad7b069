import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

/** Who may import whom. A package that is not here may not exist. */
const ARROWS: Record<string, { laneway: string[]; peers?: string[]; libraries?: string[] }> = {
  core: { laneway: [] },
  discovery: { laneway: ['core'] },
  rules: { laneway: ['core'], libraries: ['re2js', 'yaml'] },
  express: { laneway: ['core'], peers: ['express'] },
  fastify: { laneway: ['core'], peers: ['fastify'], libraries: ['fastify-plugin'] },
  http: { laneway: ['core', 'discovery'] },
  undici: { laneway: ['core', 'discovery'] },
  grpc: { laneway: ['core', 'discovery'], peers: ['@grpc/grpc-js'] },
  messaging: { laneway: ['core'] },
  amqp: { laneway: ['core', 'messaging'], peers: ['amqplib'] },
  bullmq: { laneway: ['core', 'messaging'], peers: ['bullmq'] },
  kafka: { laneway: ['core', 'messaging'], peers: ['kafkajs', '@platformatic/kafka'] },
  'redis-streams': { laneway: ['core', 'messaging'], peers: ['ioredis', 'redis'] },
  rocketmq: { laneway: ['core', 'messaging'], peers: ['rocketmq-client-nodejs'] },
  nestjs: {
    laneway: ['core', 'discovery', 'http', 'undici', 'amqp', 'kafka'],
    peers: ['@nestjs/common', '@nestjs/core'],
  },
  testing: { laneway: ['core', 'discovery', 'http', 'undici'] },
  nacos: { laneway: ['core', 'discovery'] },
  'nacos-dev-server': { laneway: [], libraries: ['@grpc/grpc-js'] },
  kubernetes: { laneway: ['core', 'discovery'], libraries: ['yaml'] },
  otel: { laneway: ['core'], peers: ['@opentelemetry/api'] },
  register: { laneway: ['core', 'discovery', 'grpc', 'http', 'undici'] },
  gateway: { laneway: ['core', 'rules', 'discovery', 'undici'], libraries: ['undici'] },
  laneway: {
    laneway: ['console', 'core', 'discovery', 'gateway', 'kubernetes', 'messaging', 'nacos', 'register', 'rules'],
    libraries: ['commander'],
  },
  // Asks what the gate asks, and finds the cluster as it does. Preact is in the page, which is bundled.
  console: {
    laneway: ['core', 'discovery', 'gate', 'kubernetes', 'messaging', 'rules'],
    libraries: ['@dagrejs/dagre'],
  },
  // To find a cluster as the source does; nothing of the data plane.
  gate: { laneway: ['kubernetes'] },
}

/** Loaded on demand, by name, when the environment asks for them. */
const ON_DEMAND: Record<string, string[]> = {
  register: ['amqp', 'bullmq', 'kafka', 'kubernetes', 'messaging', 'nacos', 'otel', 'rocketmq', 'rules'],
  testing: ['register'],
  gateway: ['nacos', 'kubernetes'],
  laneway: ['nacos', 'kubernetes'],
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..', 'packages')
const builtins = new Set([...builtinModules, ...builtinModules.map(name => `node:${name}`)])

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? sources(path) : /\.[cm]?ts$/.test(entry.name) ? [path] : []
  })
}

function imports(file: string): { name: string; typeOnly: boolean }[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  const found: { name: string; typeOnly: boolean }[] = []
  for (const match of text.matchAll(/^\s*(import|export)\s+(type\s+)?[^'"]*?from\s+'([^']+)'/gm)) {
    const named = match[0].slice(0, match[0].lastIndexOf('from'))
    const allTypes = match[2] !== undefined || /\{(\s*type\s+[\w$]+(\s+as\s+[\w$]+)?\s*,?)+\s*\}/.test(named)
    found.push({ name: match[3]!, typeOnly: allTypes })
  }
  for (const match of text.matchAll(/\b(?:import|require)\(\s*'([^']+)'\s*\)/g))
    found.push({ name: match[1]!, typeOnly: false })
  for (const match of text.matchAll(/^import\s+'([^']+)'/gm)) found.push({ name: match[1]!, typeOnly: false })
  return found
}

const packageName = (specifier: string) =>
  specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]!

for (const name of readdirSync(root)) {
  if (name === 'testkit' || !existsSync(join(root, name, 'package.json'))) continue
  t.test(`${name} imports what the design lets it import, and declares it`, async t => {
    const rule = ARROWS[name]
    if (rule === undefined) return t.fail(`${name} is not in the table of arrows`)
    const manifest = JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8'))
    const declared = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }))
    const used = new Set<string>()
    for (const file of sources(join(root, name, 'src'))) {
      for (const { name: specifier, typeOnly } of imports(file)) {
        if (specifier.startsWith('.') || builtins.has(specifier)) continue
        const target = packageName(specifier)
        used.add(target)
        if (target.startsWith('@laneway/')) {
          const sibling = target.slice('@laneway/'.length)
          const allowed = rule.laneway.includes(sibling) || (ON_DEMAND[name] ?? []).includes(sibling)
          t.ok(allowed, `${file} may not import ${target}`)
        } else if (!typeOnly) {
          const known = [...(rule.peers ?? []), ...(rule.libraries ?? [])]
          t.ok(known.includes(target), `${file} may not import ${target}`)
        }
        const onDemand = (ON_DEMAND[name] ?? []).includes(target.slice('@laneway/'.length))
        t.ok(declared.has(target) || onDemand, `${file} imports ${target}, which the manifest does not declare`)
      }
    }
    for (const dependency of Object.keys(manifest.dependencies ?? {})) {
      const onDemand = (ON_DEMAND[name] ?? []).some(one => dependency === `@laneway/${one}`)
      t.ok(used.has(dependency) || onDemand, `${dependency} is declared and never imported`)
    }
    for (const peer of rule.peers ?? []) {
      t.ok(manifest.peerDependencies?.[peer] !== undefined, `${peer} is a peer dependency`)
    }
  })
}

t.test('packages of one release depend on each other exactly', async t => {
  const manifests = readdirSync(root)
    .map(name => join(root, name, 'package.json'))
    .filter(file => existsSync(file))
    .map(file => JSON.parse(readFileSync(file, 'utf8')))
  const versions = new Map(manifests.map(({ name, version }) => [name, version]))
  for (const { name, dependencies, peerDependencies } of manifests) {
    for (const [sibling, range] of Object.entries(dependencies ?? {})) {
      if (versions.has(sibling)) t.equal(range, versions.get(sibling), `${name} depends on ${sibling}`)
    }
    // The release writes the version, see CONTRIBUTING.md.
    for (const [sibling, range] of Object.entries(peerDependencies ?? {})) {
      if (versions.has(sibling)) t.equal(range, '*', `${name} has the peer ${sibling}`)
    }
  }
  const published = manifests.filter(one => one.private !== true)
  t.equal(new Set(published.map(({ version }) => version)).size, 1, 'they all have the same version')
})

for (const name of readdirSync(root)) {
  const folder = join(root, name, 'src')
  if (!existsSync(folder)) continue
  t.test(`no file of ${name} imports itself by way of others, types included`, async t => {
    const circles = circlesOf(importsWithin(folder)).map(circle => circle.join(' -> '))
    t.strictSame(circles, [])
  })
}

t.test('the search for circles finds each circle once, through any number of files', async t => {
  const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges))
  t.strictSame(circlesOf(graph({ a: ['b'], b: ['c'], c: [] })), [])
  t.strictSame(circlesOf(graph({ a: ['a'] })), [['a', 'a']])
  t.strictSame(circlesOf(graph({ a: ['b'], b: ['c', 'd'], c: ['b'], d: [] })), [['b', 'c', 'b']])
  t.strictSame(circlesOf(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: ['a'] })), [['a', 'b', 'd', 'a']])
})

/** The files of a folder, and which of them each imports; names are relative to the folder. */
function importsWithin(folder: string): Map<string, string[]> {
  const named = (path: string) => relative(folder, path)
  return new Map(
    sources(folder).map(file => [
      named(file),
      imports(file)
        .filter(({ name }) => name.startsWith('.'))
        .map(({ name }) => named(join(dirname(file), name.replace(/\.([cm]?)js$/, '.$1ts')))),
    ]),
  )
}

/** Circles of a graph by depth-first search: each begins and ends with the same file. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = []
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const start = path.indexOf(file)
    if (start !== -1) circles.push([...path.slice(start), file])
    if (start !== -1 || done.has(file)) return
    path.push(file)
    for (const next of graph.get(file) ?? []) visit(next)
    path.pop()
    done.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return circles
}

/** Packages that have no internal entry yet. */
const WITHOUT_INTERNAL_ENTRY = ['messaging']

t.test('main entries hold nothing for the other packages, which have entries named internal', async t => {
  for (const name of readdirSync(root)) {
    const entry = join(root, name, 'src', 'index.ts')
    if (existsSync(entry) && !WITHOUT_INTERNAL_ENTRY.includes(name))
      t.notMatch(readFileSync(entry, 'utf8'), /other (@laneway )?packages/i, entry)
  }
})

t.test('only packages of this repository import what is internal', async t => {
  const places = ['README.md', 'docs', 'examples', ...readdirSync(root).map(name => `packages/${name}/README.md`)]
  for (const file of places.flatMap(place => texts(join(root, '..', place)))) {
    t.notMatch(readFileSync(file, 'utf8'), /'@laneway\/[\w-]+\/internal/, `${file} shows users what is internal`)
  }
})

/** The files of a folder that hold code or prose, or the file itself. */
function texts(place: string): string[] {
  if (!existsSync(place)) return []
  if (!statSync(place).isDirectory()) return [place]
  return readdirSync(place)
    .filter(name => name !== 'node_modules' && name !== 'dist')
    .map(name => join(place, name))
    .flatMap(path => (statSync(path).isDirectory() || /\.([cm]?[jt]s|md)$/.test(path) ? texts(path) : []))
}
