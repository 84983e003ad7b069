import { dirname } from 'node:path'

/** Where the libraries are. */
const root = dirname(import.meta.dirname)

/** Written for both versions of Next: 16 builds with Turbopack, 15 with webpack. */
export default {
  output: 'standalone',
  outputFileTracingRoot: root,
  turbopack: { root },
  experimental: { useCache: true },
}
