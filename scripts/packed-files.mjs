// `node scripts/packed-files.mjs NAME`: fails when the packed package lacks a file that it must have.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = `${root}packages/${process.argv[2]}`
const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  cwd: folder,
  encoding: 'utf8',
  shell: process.platform === 'win32',
  stdio: ['ignore', 'pipe', 'ignore'],
})
// npm 12 answers by name, older ones with a list.
const [packed] = Object.values(JSON.parse(output))
const files = new Set(packed.files.map(({ path }) => path))
const missing = ['LICENSE', 'README.md', 'package.json'].filter(file => !files.has(file))
if (missing.length > 0) throw new Error(`${process.argv[2]} is packed without ${missing.join(', ')}`)
if (readFileSync(`${folder}/LICENSE`, 'utf8') !== readFileSync(`${root}LICENSE`, 'utf8')) {
  throw new Error(`the LICENSE of ${process.argv[2]} is another one; run npm run build`)
}
