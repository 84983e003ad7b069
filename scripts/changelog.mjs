// `node scripts/changelog.mjs`, after `changeset version`: puts the newest section of each package's changelog into
// CHANGELOG.md, once for all packages that a change touches.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** Before 1.0 a change that breaks is a minor one, whose text begins with "Breaking: ". */
const BREAKING = 'Breaking: '
const TITLES = { Major: 'Breaking', Minor: 'New', Patch: 'Fixed' }

const entries = new Map()
let version
for (const name of readdirSync('packages').sort()) {
  const file = `packages/${name}/CHANGELOG.md`
  if (!existsSync(file)) continue
  const manifest = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'))
  version = manifest.version
  const section =
    readFileSync(file, 'utf8')
      .split(/^## /m)
      .find(text => text.startsWith(`${version}\n`)) ?? ''
  for (const part of section.split(/^### /m).slice(1)) {
    const kind = part.split(' ', 1)[0]
    for (const text of part
      .trim()
      .split(/\n+(?=- )/)
      .slice(1)) {
      if (!entries.has(text)) entries.set(text, { ...read(text.slice('- '.length), kind), packages: [] })
      entries.get(text).packages.push(manifest.name)
    }
  }
}
if (entries.size === 0) throw new Error('no package has a section of its version; run changeset version first')

const before = readFileSync('CHANGELOG.md', 'utf8')
if (before.includes(`\n## ${version}\n`)) throw new Error(`CHANGELOG.md has a section ${version} already`)
const parts = Object.values(TITLES).map(title => {
  const lines = [...entries.values()]
    .filter(entry => entry.title === title)
    .map(({ packages, text }) => `- **${packages.join(', ')}**: ${text}`)
  return lines.length === 0 ? '' : `### ${title}\n\n${lines.join('\n')}\n\n`
})
const first = before.indexOf('\n## ')
const head = first === -1 ? `${before.trimEnd()}\n` : before.slice(0, first)
const tail = first === -1 ? '' : before.slice(first)
writeFileSync('CHANGELOG.md', `${head}\n## ${version}\n\n${parts.join('').trimEnd()}\n${tail}`)

function read(text, kind) {
  if (!text.startsWith(BREAKING)) return { title: TITLES[kind], text }
  return { title: TITLES.Major, text: text.slice(BREAKING.length) }
}
