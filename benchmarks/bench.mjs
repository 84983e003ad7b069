// Builds the packages and the benchmarks, then runs them. The cases are plain JavaScript when they run: a loader that
// compiles while it runs would leave its traces in what is measured.
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildAll } from '../scripts/build.mjs'

/** The packages that have cases; what these need is built with them. */
const PACKAGES = [
  'express',
  'fastify',
  'grpc',
  'http',
  'undici',
  'register',
  'rules',
  'amqp',
  'bullmq',
  'gateway',
  'nacos',
  'nacos-dev-server',
  'kubernetes',
]

const here = fileURLToPath(new URL('.', import.meta.url))

export async function buildBenchmarks() {
  await build({
    entryPoints: [`${here}src/*.ts`, `${here}src/cases/*.ts`, `${here}src/sidecar/*.ts`],
    outdir: `${here}dist`,
    outbase: `${here}src`,
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  })
  // These use parts that no package exports: the test kit, the pauses of the Nacos client.
  await build({
    entryPoints: [`${here}src/servers/*.ts`, `${here}src/simulation/*.ts`],
    outdir: `${here}dist`,
    outbase: `${here}src`,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'es2022',
    logLevel: 'error',
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2)
  // `quick` builds two trees of its own.
  if (args[0] !== 'quick' && !args.includes('--help') && !args.includes('--no-build')) await buildAll(PACKAGES)
  await buildBenchmarks()
  const { main } = await import('./dist/main.js')
  process.exitCode = await main(args)
}
