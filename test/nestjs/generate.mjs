// Makes an application with Nest's own generator, adds the files of app/, and compiles it as `nest build` does.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('./', import.meta.url))
const packages = fileURLToPath(new URL('../../packages/', import.meta.url))

/**
 * Without the declarations of the packages, which take minutes to build, it is compiled without a look at types.
 *
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
  const generator = createRequire(require.resolve('@nestjs/schematics'))
  const { schema } = generator('@angular-devkit/core')
  const { NodeWorkflow } = generator('@angular-devkit/schematics/tools')
  const workflow = new NodeWorkflow(folder, { resolvePaths: [libraries], schemaValidation: true })
  // As the command does: what is not asked for has the default of the schema.
  workflow.registry.addPostTransform(schema.transforms.addUndefinedDefaults)
  const options = { name: 'shop', directory: '.', ...(major >= 12 && { type }) }
  await new Promise((resolve, reject) => {
    workflow
      .execute({ collection: '@nestjs/schematics', schematic: 'application', options })
      .subscribe({ complete: resolve, error: reject })
  })
  for (const file of readdirSync(join(here, 'app'))) cpSync(join(here, 'app', file), join(folder, 'src', file))
  compile(folder, require, type)
  return folder
}

function compile(folder, require, type) {
  if (hasTypes()) {
    const tsc = require.resolve('typescript/lib/tsc.js')
    const options = { cwd: folder, encoding: 'utf8' }
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], options)
    if (status !== 0) throw new Error(stdout)
    return
  }
  // File by file, without types.
  const ts = require('typescript')
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.build.json'), ts.sys.readFile)
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
  const compilerOptions = { ...options, module: type === 'esm' ? ts.ModuleKind.ESNext : ts.ModuleKind.CommonJS }
  mkdirSync(join(folder, 'dist'), { recursive: true })
  for (const fileName of fileNames) {
    const { outputText } = ts.transpileModule(readFileSync(fileName, 'utf8'), { compilerOptions, fileName })
    writeFileSync(join(folder, 'dist', basename(fileName).replace(/\.ts$/, '.js')), outputText)
  }
}

/** Whether the packages that the application imports have been built with their declarations. */
export function hasTypes() {
  return ['core', 'discovery', 'http', 'undici', 'amqp', 'nestjs'].every(name =>
    existsSync(join(packages, name, 'dist/esm/index.d.ts')),
  )
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
