import { createRequire } from 'node:module'
import { createContext, runInContext } from 'node:vm'
import { buildSync } from 'esbuild'
import t from 'tap'
import { currentLane, runInLane } from '../src/index.js'

const require = createRequire(import.meta.url)

/** A copy of this package in a realm of its own, with Node's modules, as Jest and its like load one. */
function copyInRealm(): typeof import('../src/index.js') {
  const { outputFiles } = buildSync({
    entryPoints: [require.resolve('../src/index.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    conditions: ['@laneway/source'],
  })
  const module = { exports: {} }
  const context = createContext({ module, exports: module.exports, require, process, Buffer, URL })
  runInContext(outputFiles[0]!.text, context)
  return module.exports as typeof import('../src/index.js')
}

t.test('the lane is the same in every realm of a process', async t => {
  const [one, two] = [copyInRealm(), copyInRealm()]
  await runInLane('gray', async () => {
    t.equal(one.currentLane()?.header, 'gray')
    await null
    t.equal(two.currentLane()?.header, 'gray')
  })
  await one.runInLane('blue', async () => {
    t.equal(currentLane()?.header, 'blue')
    await null
    t.equal(two.currentLane(), currentLane(), 'the same object')
  })
  t.equal(one.currentLane(), undefined)
  t.equal(currentLane(), undefined)
})
