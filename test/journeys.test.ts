import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const packages = fileURLToPath(new URL('../packages/', import.meta.url))
const text = readFileSync(fileURLToPath(new URL('../docs/how-it-works/architecture.md', import.meta.url)), 'utf8')
const journeys = text.slice(text.indexOf('## Six journeys')).split(/^### /m).slice(1)

/** The files whose values or types this file imports, by their names: an entry of a package stands for what it exports. */
function imported(file: string): Set<string> {
  const found = new Set<string>()
  const source = readFileSync(join(packages, file), 'utf8')
  for (const [, clause = '', from = ''] of source.matchAll(/^(?:import|export)\b([^'"]*?)from\s+'([^']+)'/gm)) {
    if (from.startsWith('.')) found.add(sibling(file, from))
    const [, sub, name, entry = 'index'] = /^(@laneway\/)([^/]+)(?:\/(.+))?$/.exec(from) ?? []
    if (sub === undefined) continue
    const index = `${name}/src/${entry}.ts`
    if (!existsSync(join(packages, index))) continue
    const exported = exportsOf(index)
    for (const one of namesIn(clause)) {
      const target = exported.get(one)
      if (target !== undefined) found.add(target)
    }
  }
  return found
}

function exportsOf(index: string): Map<string, string> {
  const exported = new Map<string, string>()
  const source = readFileSync(join(packages, index), 'utf8')
  for (const [, clause = '', from = ''] of source.matchAll(/^export\b([^'"]*?)from\s+'([^']+)'/gm)) {
    for (const name of namesIn(clause)) exported.set(name, sibling(index, from))
  }
  return exported
}

function sibling(file: string, from: string): string {
  return normalize(join(dirname(file), from)).replace(/\.js$/, '.ts')
}

function namesIn(clause: string): string[] {
  const names = clause
    .replace(/^\s*type\b/, '')
    .replace(/[{}]/g, '')
    .split(',')
  return names
    .map(name =>
      name
        .trim()
        .replace(/^type /, '')
        .replace(/ as .*$/, ''),
    )
    .filter(name => name !== '')
}

t.equal(journeys.length, 6)
for (const journey of journeys) {
  t.test(journey.slice(0, journey.indexOf('\n')), async t => {
    const above: string[] = []
    const seen = new Set<string>()
    for (const [, indent = '', file = ''] of journey.matchAll(/^( *)- `([^`]+)`/gm)) {
      above.length = indent.length / 2
      if (!existsSync(join(packages, file))) {
        t.fail(`there is no ${file}`)
        continue
      }
      t.notOk(seen.has(file), `${file} stands once`)
      seen.add(file)
      const parent = above.at(-1)
      if (parent !== undefined) t.ok(imported(parent).has(file), `${parent} imports ${file}`)
      const back = above.filter(one => imported(file).has(one))
      t.strictSame(back, [], `${file} imports no file above it`)
      above.push(file)
    }
    t.ok(seen.size > 5)
  })
}
