import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Where the libraries are. */
const root = dirname(import.meta.dirname)
const { version } = JSON.parse(readFileSync(`${root}/node_modules/next/package.json`, 'utf8'))

/** Written for both versions of Next: 16 builds with Turbopack, 15 with webpack. */
export default {
  output: 'standalone',
  outputFileTracingRoot: root,
  turbopack: { root },
  experimental: { useCache: true },
  images: {
    minimumCacheTTL: 1,
    remotePatterns: [{ protocol: 'http', hostname: 'sc-c' }],
    ...(!version.startsWith('15.') && { dangerouslyAllowLocalIP: true }),
  },
}
