import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The file that this is part of, filled in when the package is built. */
declare const LANEWAY_FILE: string | undefined

/** One file of the page. */
export interface Asset {
  readonly type: string
  readonly body: Buffer
}

const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const

/** By path. The build puts them in `dist/page`, beside the code. */
export function readAssets(): ReadonlyMap<string, Asset> {
  const folder = join(distFolder(), 'page')
  return new Map(
    Object.entries(TYPES).map(([name, type]) => [
      name === 'index.html' ? '/' : `/${name}`,
      { type, body: readFileSync(join(folder, name)) },
    ]),
  )
}

function distFolder(): string {
  if (typeof LANEWAY_FILE !== 'undefined') {
    return dirname(dirname(LANEWAY_FILE.startsWith('file:') ? fileURLToPath(LANEWAY_FILE) : LANEWAY_FILE))
  }
  // From the sources: the page is found as an application finds the package.
  const manifest = createRequire(join(process.cwd(), 'index.js')).resolve('@laneway/console/package.json')
  return join(dirname(manifest), 'dist')
}
