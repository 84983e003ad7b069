// `node scripts/packed-files.mjs NAME`: fails when the packed package lacks a file that it must have, or is too large.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * What a pack may weigh, in kB, compressed: sources, declarations and both dialects with their maps. A package that grows
 * past its limit has got something that it should not have, or gets a new limit here.
 */
const MAX_KB = {
  amqp: 95,
  bullmq: 145,
  console: 160,
  core: 330,
  discovery: 440,
  express: 15,
  fastify: 15,
  gate: 180,
  gateway: 460,
  grpc: 190,
  http: 240,
  kafka: 40,
  kubernetes: 220,
  laneway: 245,
  messaging: 60,
  nacos: 270,
  'nacos-dev-server': 260,
  otel: 80,
  'redis-streams': 75,
  rocketmq: 35,
  register: 260,
  rules: 240,
  undici: 240,
}

const root = fileURLToPath(new URL('..', import.meta.url))
const name = process.argv[2]
const folder = `${root}packages/${name}`
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
if (missing.length > 0) throw new Error(`${name} is packed without ${missing.join(', ')}`)
if (readFileSync(`${folder}/LICENSE`, 'utf8') !== readFileSync(`${root}LICENSE`, 'utf8')) {
  throw new Error(`the LICENSE of ${name} is another one; run npm run build`)
}
const limit = MAX_KB[name]
const kilobytes = Math.ceil(packed.size / 1024)
if (limit === undefined)
  throw new Error(`MAX_KB in scripts/packed-files.mjs has no limit for ${name}: it has ${kilobytes} kB`)
if (kilobytes > limit) throw new Error(`${name} has ${kilobytes} kB packed, more than its limit of ${limit} kB`)
