// `node scripts/packed-files.mjs NAME`: fails when the packed package lacks a file that it must have, has one twice, or is
// too large.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * What a pack may weigh, in kB, compressed: both dialects, the declarations once, and the sources once, for the source maps
 * of both. A package that grows past its limit has got something that it should not have, or gets a new limit here.
 */
const MAX_KB = {
  amqp: 55,
  bullmq: 95,
  console: 145,
  core: 245,
  discovery: 330,
  express: 15,
  fastify: 15,
  gate: 115,
  gateway: 285,
  grpc: 115,
  http: 165,
  kafka: 145,
  kubernetes: 145,
  laneway: 225,
  messaging: 65,
  nacos: 190,
  'nacos-dev-server': 165,
  nestjs: 35,
  otel: 50,
  'redis-streams': 70,
  rocketmq: 75,
  // Its main file has core, http and undici inside, in both dialects.
  register: 450,
  rules: 160,
  testing: 45,
  undici: 155,
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
const seen = new Map()
for (const file of files) {
  const text = readFileSync(`${folder}/${file}`, 'utf8')
  // A map, or an entry that only points elsewhere, may be as another one.
  if (text.length > 500) {
    if (seen.has(text)) throw new Error(`${name} is packed with ${seen.get(text)} and the same as ${file}`)
    seen.set(text, file)
  }
  if (file.endsWith('.map') && text.includes('"sourcesContent"')) {
    throw new Error(`${file} of ${name} has the sources in it, which are in src`)
  }
}
const limit = MAX_KB[name]
const kilobytes = Math.ceil(packed.size / 1024)
if (limit === undefined)
  throw new Error(`MAX_KB in scripts/packed-files.mjs has no limit for ${name}: it has ${kilobytes} kB`)
if (kilobytes > limit) throw new Error(`${name} has ${kilobytes} kB packed, more than its limit of ${limit} kB`)
