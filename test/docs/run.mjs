// The documentation: the site builds and loads nothing from elsewhere, links lead somewhere, what is generated is up to
// date, and every block that can run has been run.
//
//   npm run test:docs                          all of it
//   npm run test:docs -- --only=blocks         or pictures, reference, links, minute, site
//   npm run test:docs -- --pages=nacos,README  plays the pages with such names only
//   npm run test:docs -- --write               writes outputs and generated pages instead of comparing them
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { parseArgs } from 'node:util'
import { contents, deadLinks, markdownFiles, pagesOf, root, textOf } from '../../site/pages.mjs'
import { blocksOf } from './blocks.mjs'
import { countBlocks } from './count.mjs'
import { pasteMinute } from './minute.mjs'
import { playPage } from './session.mjs'
import { buildSite } from './site.mjs'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    pages: { type: 'string' },
    write: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (options.help) {
  const lines = readFileSync(new URL(import.meta.url), 'utf8').split('\n')
  console.log(
    lines
      .slice(0, 8)
      .join('\n')
      .replaceAll(/^\/\/ ?/gm, ''),
  )
  process.exit(0)
}
const counts = { passed: 0, failed: 0 }
const wanted = part => (options.only ?? (options.pages === undefined ? part : 'blocks')).split(',').includes(part)
const AT_A_TIME = 2

const files = markdownFiles()
if (wanted('pictures')) check('pictures are those of their texts', script('scripts/pictures.mjs'))
if (wanted('reference')) check('the reference is that of the sources', script('scripts/docs-reference.mjs'))
if (wanted('links')) {
  const dead = deadLinks(files)
  check('every link in Markdown leads to a file and a heading', dead.join('\n'))
  const listed = new Set(contents().flatMap(({ items }) => items.map(({ file }) => file)))
  const lost = files.filter(file => /^docs\/.+\.md$/.test(file) && file !== 'docs/README.md' && !listed.has(file))
  check('every page stands in docs/README.md', lost.join('\n'))
}
if (wanted('blocks')) {
  const played = await playPages()
  if (options.pages === undefined) countBlocks(files, played, check)
}
if (wanted('minute')) await pasteMinute(check)
if (wanted('site')) await buildSite(check)
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1

function script(file) {
  const args = options.write ? [] : ['--check']
  const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], { cwd: root, encoding: 'utf8' })
  return status === 0 ? '' : stdout + stderr
}

async function playPages() {
  linkCommands()
  const names = options.pages?.split(',') ?? ['']
  const pages = files
    .filter(file => file === 'README.md' || (pagesOf([file]).size > 0 && file.startsWith('docs/')))
    .filter(file => names.some(name => file.includes(name)) && isPlayed(textOf(file)))
  const queue = [...pages]
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) await playOne(file)
    }),
  )
  return new Set(pages)
}

function isPlayed(text) {
  return blocksOf(text).some(({ lang, mark }) => lang === 'console' && !mark.startsWith('no-run'))
}

/** The pages that a page continues: `<!-- after: ../start/services.md -->`. */
function before(file) {
  const [, other] = /^<!-- after: (\S+) -->$/m.exec(textOf(file)) ?? []
  if (other === undefined) return ''
  const earlier = posix.join(posix.dirname(file), other)
  return `${before(earlier)}\n${textOf(earlier)}`
}

async function playOne(file) {
  const folder = join(root, 'node_modules/.cache/laneway-docs', file.replaceAll(/\W+/g, '-'))
  const env = { PATH: `${root}node_modules/.bin:${process.env.PATH}`, npm_config_offline: 'true', NODE_OPTIONS: '' }
  const started = Date.now()
  let problem = ''
  try {
    const { results, page, unasked } = await playPage(textOf(file), {
      folder,
      env,
      before: before(file),
      keepOn: options.write,
    })
    for (const { line, seen, output, ok, at } of results) {
      if (!ok) problem += `line ${at}: $ ${line}\nshows\n${seen.slice(0, 2000)}\ninstead of\n${output}\n`
    }
    if (unasked !== '') problem += `servers print what the page does not show:\n${unasked.slice(0, 2000)}`
    if (options.write && page !== textOf(file)) writeFileSync(join(root, file), page)
  } catch (error) {
    problem = String(error)
  }
  check(`${file} does what it shows (${((Date.now() - started) / 1000).toFixed(1)} s)`, problem)
}

/** npm links the commands of packages when it installs, which is before they are built in a new clone: then it links none. */
function linkCommands() {
  for (const name of readdirSync(join(root, 'packages'))) {
    const manifest = join(root, 'packages', name, 'package.json')
    const { bin = {} } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : {}
    for (const [command, path] of Object.entries(bin)) {
      const file = join(root, 'packages', name, path)
      const link = join(root, 'node_modules/.bin', command)
      if (!existsSync(file)) continue
      chmodSync(file, 0o755)
      if (!existsSync(link)) symlinkSync(file, link)
    }
  }
}

function check(what, problem) {
  const failed = problem !== undefined && problem !== ''
  counts[failed ? 'failed' : 'passed']++
  if (failed) console.log(`FAILED  ${what}\n${problem}`)
  else console.log(`ok      ${what}`)
}
