import { writeFileSync } from 'node:fs'
import { project } from '../../fixtures/project.mjs'

/** A project of pnpm: every package sees only what it declares. */
export default {
  library: 'pnpm',
  use: 'a project with the published packages',
  explicit: 'see the rows of tsx',
  notApplicable: { otel: 'the flag is the same' },
  full: true,
  async program({ node, flags, libraries }) {
    const cwd = await project('pnpm', (folder, overrides) => {
      const lines = Object.entries(overrides).map(([name, file]) => `  '${name}': '${file}'`)
      writeFileSync(`${folder}/pnpm-workspace.yaml`, `overrides:\n${lines.join('\n')}\n`)
      const args = ['install', '--ignore-scripts', '--store-dir', `${folder}/store`]
      return { command: 'sh', args: [`${libraries}node_modules/pnpm/pnpm`, ...args] }
    })
    return { command: node, args: [...flags, 'app.cjs'], cwd }
  },
}
