import { writeFileSync } from 'node:fs'
import { project } from '../../fixtures/project.mjs'

/** A project of Yarn without node_modules: packages are found by a table, and read from archives. */
export default {
  library: '@yarnpkg/cli-dist',
  use: "Plug'n'Play, --require",
  explicit: 'see the rows of tsx',
  notApplicable: { otel: 'the flag is the same' },
  full: true,
  async program({ node, requireFlags, libraries }) {
    const cwd = await project('yarn', (folder, resolutions) => {
      writeFileSync(`${folder}/.yarnrc.yml`, 'nodeLinker: pnp\nenableGlobalCache: false\nenableTelemetry: false\n')
      writeFileSync(`${folder}/yarn.lock`, '')
      const args = [`${libraries}node_modules/@yarnpkg/cli-dist/bin/yarn.js`, 'install']
      const env = { YARN_ENABLE_IMMUTABLE_INSTALLS: 'false', YARN_ENABLE_SCRIPTS: 'false' }
      return { command: node, args, env, more: { resolutions } }
    })
    return { command: node, args: ['--require', './.pnp.cjs', ...requireFlags, 'app.cjs'], cwd }
  },
}
