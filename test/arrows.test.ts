import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path'
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
  bullmq: { laneway: ['core', 'messaging'], peers: ['bullmq'] },
  nacos: { laneway: ['core', 'discovery'], libraries: ['*'] },
  'nacos-dev-server': { laneway: [], libraries: ['@grpc/grpc-js', '*'] },
  kubernetes: { laneway: ['core', 'discovery'], libraries: ['*'] },
  otel: { laneway: ['core'], peers: ['@opentelemetry/api'] },
  register: { laneway: ['core', 'discovery', 'grpc', 'http', 'undici'] },
  gateway: { laneway: ['core', 'rules', 'discovery', 'undici', 'fastify'], libraries: ['fastify', 'undici', 'yaml'] },
  laneway: {
    laneway: ['core', 'discovery', 'gateway', 'kubernetes', 'nacos', 'register', 'rules'],
    libraries: ['commander'],
  },
  gate: { laneway: [], libraries: ['*'] },
}

/** Loaded on demand, by name, when the environment asks for them. */
const ON_DEMAND: Record<string, string[]> = {
  register: ['nacos', 'kubernetes', 'otel', 'rules'],
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
          t.ok(known.includes(target) || known.includes('*'), `${file} may not import ${target}`)
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
