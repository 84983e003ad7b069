// Lays out `node_modules` folders in which `@types/node` and undici are of one pair of versions, for the compiler.
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const NODES = { 20: '@types/node', 22: 'types-node-22', 24: 'types-node-24' }
const UNDICIS = { 6: 'undici6', 7: 'undici', 8: 'undici8' }

/** Prepares the nine pairs and returns for each its name and the folder with a tsconfig.json. */
export function typePairs() {
  return Object.keys(NODES).flatMap(node =>
    Object.keys(UNDICIS).map(undici => ({
      name: `@types/node ${node}, undici ${undici}`,
      folder: layOut(node, undici),
    })),
  )
}

function layOut(node, undici) {
  const folder = join(root, 'node_modules', '.cache', 'laneway-types', `node${node}-undici${undici}`)
  rmSync(folder, { recursive: true, force: true })
  const modules = join(folder, 'node_modules')
  mkdirSync(join(modules, '@types'), { recursive: true })
  mkdirSync(join(modules, '@laneway'))
  const link = (from, to) => symlinkSync(from, join(modules, to), 'junction')
  link(join(root, 'node_modules', NODES[node]), '@types/node')
  link(join(root, 'node_modules', UNDICIS[undici]), 'undici')
  for (const name of readdirSync(join(root, 'packages'))) {
    if (existsSync(join(root, 'packages', name, 'dist'))) link(join(root, 'packages', name), `@laneway/${name}`)
  }
  symlinkSync(join(root, 'test', 'readme-types', 'readme-lines.ts'), join(folder, 'readme-lines.ts'))
  const config = {
    extends: join(root, 'tsconfig.base.json'),
    compilerOptions: {
      noEmit: true,
      rootDir: '/',
      // The lines are found through the folder, not where the link points, and so are their imports.
      preserveSymlinks: true,
      typeRoots: ['./node_modules/@types'],
      declaration: false,
      declarationMap: false,
    },
    files: ['readme-lines.ts'],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config, null, 2))
  return folder
}
