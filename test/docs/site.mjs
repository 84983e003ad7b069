// Builds the site, and looks at what the built pages load: nothing may come from another host.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installLocked } from '../ecosystem/install.mjs'

const site = fileURLToPath(new URL('../../site', import.meta.url))

/** What makes a browser ask another host, in HTML, CSS and scripts. A link that a reader clicks is none of these. */
const LOADS = [
  /<(?:script|img|source|iframe|video|audio|embed|track)\b[^>]*\s(?:src|srcset)="(?:https?:)?\/\/[^"]*"/g,
  /<link\b(?=[^>]*rel="(?:stylesheet|preload|modulepreload|icon|prefetch|preconnect|dns-prefetch)")[^>]*href="(?:https?:)?\/\/[^"]*"/g,
  /(?:url\(|@import\s*)["']?(?:https?:)?\/\/[^)"']*/g,
  /(?:fetch|import|importScripts|sendBeacon|EventSource|WebSocket)\(\s*["'`](?:https?|wss?):\/\/[^"'`]*/g,
  /\.(?:src|srcset)\s*=\s*["'`]https?:\/\/[^"'`]*/g,
]

export async function buildSite(check) {
  await installLocked(`${site}/`)
  const run = (file, ...args) =>
    spawnSync(process.execPath, [join(site, file), ...args], {
      cwd: site,
      encoding: 'utf8',
      env: { ...process.env, CI: '1' },
    })
  const staged = run('stage.mjs')
  check('the pages of the site are staged', staged.status === 0 ? '' : staged.stdout + staged.stderr)
  const built = run('node_modules/vitepress/bin/vitepress.js', 'build')
  check('the site builds, and has no dead links', built.status === 0 ? '' : built.stdout + built.stderr)
  const dist = join(site, 'dist')
  const files = readdirSync(dist, { recursive: true }).filter(file => /\.(html|js|css)$/.test(file))
  const foreign = files.flatMap(file => {
    const text = readFileSync(join(dist, file), 'utf8')
    return LOADS.flatMap(pattern => text.match(pattern) ?? []).map(found => `${file}: ${found.slice(0, 200)}`)
  })
  check(`the ${files.length} built files load nothing from other hosts`, foreign.join('\n'))
  const search = files.some(file => /localSearchIndex/.test(file))
  check('the search works offline: its index is among the files', search ? '' : 'there is no index')
}
