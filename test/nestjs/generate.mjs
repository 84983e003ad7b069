// Makes an application with Nest's own generator, adds the files of app/, and compiles it as `nest build` does.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = fileURLToPath(new URL('./', import.meta.url))
const packages = fileURLToPath(new URL('../../packages/', import.meta.url))

/**
 * @param {number} major - of Nest; its libraries are installed in a folder of that name
 * @param {'cjs' | 'esm'} type - Nest before 12 knows CommonJS only
 * @returns {Promise<string>} the folder with the compiled application
 */
export async function generate(major, type) {
  const libraries = join(here, String(major))
  installNestjs(libraries)
  const folder = join(libraries, `.app-${type}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const require = createRequire(join(libraries, 'package.json'))
  const { NodeWorkflow } = await import(
    pathToFileURL(createRequire(require.resolve('@nestjs/schematics')).resolve('@angular-devkit/schematics/tools')).href
  )
  const options = { name: 'shop', directory: '.', ...(major >= 12 && { type }) }
  await new Promise((resolve, reject) => {
    new NodeWorkflow(folder, { resolvePaths: [libraries] })
      .execute({ collection: '@nestjs/schematics', schematic: 'application', options })
      .subscribe({ complete: resolve, error: reject })
  })
  for (const file of readdirSync(join(here, 'app'))) cpSync(join(here, 'app', file), join(folder, 'src', file))
  const tsc = require.resolve('typescript/lib/tsc.js')
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`Nest ${major}, ${type}: does not compile\n${stdout}`)
  return folder
}

/** A copy: through a link it would find the Nest of this repository in place of the one beside it. */
function installNestjs(libraries) {
  const target = join(libraries, 'node_modules/@laneway/nestjs')
  rmSync(target, { recursive: true, force: true })
  mkdirSync(target, { recursive: true })
  for (const part of ['package.json', 'dist']) {
    if (!existsSync(join(packages, 'nestjs', part)))
      throw new Error('run npm run test:nestjs, which builds the packages')
    cpSync(join(packages, 'nestjs', part), join(target, part), { recursive: true })
  }
}
