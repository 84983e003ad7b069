// Lays out a folder in which `@grpc/grpc-js` and `@types/node` are of one pair of versions, for the compiler.
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('./', import.meta.url))
const root = fileURLToPath(new URL('../../', import.meta.url))
const NODES = { 20: '@types/node', 22: 'types-node-22', 24: 'types-node-24' }

/** @returns the arguments of `node` that compile the lines of the README against a pair */
export function typePair(version, node) {
  const pair = join(folder, 'node_modules', '.cache', `types-${version}-${node}`)
  rmSync(pair, { recursive: true, force: true })
  const modules = join(pair, 'node_modules')
  for (const scope of ['@types', '@grpc', '@laneway', '@connectrpc', '@bufbuild']) {
    mkdirSync(join(modules, scope), { recursive: true })
  }
  const link = (from, to) => symlinkSync(from, join(modules, to), 'junction')
  link(join(root, 'node_modules', NODES[node]), '@types/node')
  const grpc = version === '1.14' ? '@grpc/grpc-js' : `grpc-js-${version}`
  link(join(folder, 'node_modules', grpc), '@grpc/grpc-js')
  link(join(folder, 'node_modules', '@grpc', 'proto-loader'), '@grpc/proto-loader')
  link(join(folder, 'node_modules', '@bufbuild', 'protobuf'), '@bufbuild/protobuf')
  for (const name of ['connect', 'connect-node']) {
    link(join(folder, 'node_modules', '@connectrpc', name), `@connectrpc/${name}`)
  }
  for (const name of readdirSync(join(root, 'packages'))) link(join(root, 'packages', name), `@laneway/${name}`)
  symlinkSync(join(folder, 'types', 'grpc-lines.ts'), join(pair, 'grpc-lines.ts'))
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
    files: ['grpc-lines.ts'],
  }
  writeFileSync(join(pair, 'tsconfig.json'), JSON.stringify(config, null, 2))
  return [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', pair]
}
