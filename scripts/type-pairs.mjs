// Lays out `node_modules` folders in which `@types/node` and undici are of one pair of versions, for the compiler.
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const NODES = { 20: '@types/node', 22: 'types-node-22', 24: 'types-node-24' }
const readmeLines = join(root, 'test', 'readme-types', 'readme-lines.ts')
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
  layOutTypes(folder, node, { undici: join(root, 'node_modules', UNDICIS[undici]) }, readmeLines)
  return folder
}

/**
 * Lays out a folder with a tsconfig.json in which modules are of the versions that are given.
 *
 * @param {string} folder - made anew
 * @param {number | string} node - the major of Node whose types count
 * @param {Record<string, string>} modules - names and their folders, besides the packages of this repository
 * @param {string} lines - the file to compile
 */
export function layOutTypes(folder, node, modules, lines) {
  rmSync(folder, { recursive: true, force: true })
  const links = { '@types/node': join(root, 'node_modules', NODES[node]), ...modules }
  for (const name of readdirSync(join(root, 'packages'))) {
    if (existsSync(join(root, 'packages', name, 'dist'))) links[`@laneway/${name}`] = join(root, 'packages', name)
  }
  for (const [name, target] of Object.entries(links)) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(target, link, 'junction')
  }
  symlinkSync(lines, join(folder, basename(lines)))
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
    files: [basename(lines)],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config, null, 2))
}
