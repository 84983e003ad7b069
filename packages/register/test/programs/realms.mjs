// Loads a copy of Laneway in a realm of its own, as Jest does, and tells which lane it sees.

import { readFileSync } from 'node:fs'
import http from 'node:http'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import { createContext, runInContext } from 'node:vm'

const require = createRequire(import.meta.url)

function realm() {
  const context = createContext({ process, Buffer, URL, setTimeout })
  const modules = new Map()
  const load = file => {
    const known = modules.get(file)
    if (known !== undefined) return known.exports
    const module = { exports: {} }
    modules.set(file, module)
    const wrapped = runInContext(`(function (exports, module, require) {${readFileSync(file, 'utf8')}\n})`, context)
    const own = name => (name.startsWith('.') ? load(resolve(dirname(file), name)) : require(name))
    wrapped(module.exports, module, own)
    return module.exports
  }
  return load(require.resolve('@laneway/core'))
}

const { currentLane } = realm()
const server = http.createServer(async (_req, res) => {
  await null
  res.end(currentLane()?.header ?? 'none')
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
