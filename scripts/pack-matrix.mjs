// Tries packs as applications of other Node versions and package managers install them.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { nodeBinary } from './node-versions.mjs'

/** How each installs, and where it reads which packs take the place of what is on npm. */
const MANAGERS = {
  npm: { run: ['npm', ['install', '--no-audit', '--no-fund']], manifest: overrides => ({ overrides }) },
  pnpm: {
    run: ['npx', ['--yes', 'pnpm@10', 'install', '--no-frozen-lockfile']],
    workspace: overrides =>
      `overrides:\n${Object.entries(overrides)
        .map(([name, file]) => `  '${name}': '${file}'`)
        .join('\n')}\n`,
  },
  yarn: { run: ['npx', ['--yes', 'yarn@1', 'install']], manifest: resolutions => ({ resolutions }) },
  berry: {
    run: ['npx', ['--yes', '@yarnpkg/cli-dist@4', 'install']],
    manifest: resolutions => ({ resolutions }),
    files: { '.yarnrc.yml': 'nodeLinker: node-modules\nenableTelemetry: false\n', 'yarn.lock': '' },
  },
}

/** What an application does with the packs: it is preloaded, and imports and requires. */
const PROGRAM = `
import { createRequire } from 'node:module'
import { currentLane, runInLane } from '@laneway/core'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
const required = createRequire(import.meta.url)('@laneway/core')
if (runInLane('gray', () => required.currentLane().header) !== 'gray' || currentLane() !== undefined) throw new Error('lane')
const nacos = await createNacosDevServer({ port: 0 }).start()
await nacos.close()
process.stdout.write('works')
process.exit(0)
`

/**
 * Installs the packs with each package manager, and runs a program with each Node.
 *
 * @param {{ name: string, file: string }[]} packs
 * @param {(what: string, problem: string | undefined) => void} check
 */
export async function tryPacks(folder, packs, majors, check) {
  const overrides = Object.fromEntries(packs.map(({ name, file }) => [name, `file:${file}`]))
  for (const [manager, { run, manifest, workspace, files = {} }] of Object.entries(MANAGERS)) {
    const app = join(folder, `app-${manager}`)
    mkdirSync(app)
    const dependencies = { ...overrides }
    const all = { name: 'app', private: true, type: 'module', dependencies, ...manifest?.(overrides) }
    writeFileSync(join(app, 'package.json'), JSON.stringify(all, undefined, 2))
    writeFileSync(join(app, 'app.js'), PROGRAM)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(app, name), text)
    if (workspace !== undefined) writeFileSync(join(app, 'pnpm-workspace.yaml'), workspace(overrides))
    const { status, stdout, stderr } = spawnSync(...run, {
      cwd: app,
      encoding: 'utf8',
      env: { ...process.env, CI: '' },
    })
    check(`${manager} installs the packs`, status === 0 ? undefined : stdout + stderr)
    if (status !== 0) continue
    for (const major of majors) {
      const node = await nodeBinary(major)
      if (node === undefined) {
        check(`${manager}, Node ${major}`, 'there is no such Node here')
        continue
      }
      const args = ['--import', '@laneway/register', 'app.js']
      const ended = spawnSync(node, args, { cwd: app, encoding: 'utf8', env: withoutOptions(dirname(node)) })
      check(`${manager}, Node ${major}`, ended.stdout === 'works' ? undefined : ended.stdout + ended.stderr)
    }
    const licences = packs.filter(({ name }) => !readdirSync(join(app, 'node_modules', name)).includes('LICENSE'))
    check(`${manager}: LICENSE`, licences.length === 0 ? undefined : licences.map(({ name }) => name).join())
  }
}

function withoutOptions(bin) {
  const { NODE_OPTIONS, ...env } = process.env
  return { ...env, PATH: `${bin}:${env.PATH}` }
}
