// Lays out a folder in which `@grpc/grpc-js` and `@types/node` are of one pair of versions, for the compiler.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { layOutTypes } from '../../scripts/type-pairs.mjs'

const folder = fileURLToPath(new URL('./', import.meta.url))
const tsc = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url))
const OTHERS = ['@grpc/proto-loader', '@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-node']

/** @returns the arguments of `node` that compile the lines of the README against a pair */
export function typePair(version, node) {
  const pair = join(folder, 'node_modules', '.cache', `types-${version}-${node}`)
  const installed = name => join(folder, 'node_modules', name)
  const modules = Object.fromEntries(OTHERS.map(name => [name, installed(name)]))
  modules['@grpc/grpc-js'] = installed(version === '1.14' ? '@grpc/grpc-js' : `grpc-js-${version}`)
  layOutTypes(pair, node, modules, join(folder, 'types', 'readme-calls.ts'))
  return [tsc, '-p', pair]
}
