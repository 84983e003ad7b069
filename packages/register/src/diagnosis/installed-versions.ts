import { readFileSync } from 'node:fs'
import Module from 'node:module'

/** The libraries that matter when a lane gets lost. */
const TELLING = new Set([
  'express',
  'fastify',
  'koa',
  'hono',
  '@nestjs/core',
  'undici',
  'axios',
  'got',
  'ws',
  '@grpc/grpc-js',
  'amqplib',
  'bullmq',
  'kafkajs',
  'rocketmq-client-nodejs',
])

/** Frameworks and clients among the CommonJS modules loaded so far, `name version`; ES modules cannot be listed. */
export function installedVersions(): string[] {
  const folders = new Set<string>()
  for (const file of Object.keys((Module as unknown as { _cache: object })._cache)) {
    const found = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+(?=[\\/])/.exec(file)
    if (found !== null) folders.add(found[0])
  }
  const versions: string[] = []
  for (const folder of folders) {
    try {
      const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) as Record<string, string>
      if (TELLING.has(name ?? '')) versions.push(`${name} ${version}`)
    } catch {
      // The folder has no package of its own.
    }
  }
  return versions
}
