// Starts a registry in memory, web, orders and a gray version of orders, and sends two requests.
import { spawn } from 'node:child_process'
import { createNacosDevServer } from '@laneway/nacos-dev-server'

const children = []
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
process.on('SIGINT', () => process.exit(0))
const nacos = await createNacosDevServer({ port: 0 }).start()

/** Starts a service as its `pnpm start` does. Resolves when it listens, with its port. */
function start(name, env = {}) {
  const child = spawn(process.execPath, ['--import', '@laneway/register', 'server.js'], {
    cwd: `apps/${name}`,
    env: { ...process.env, LANEWAY_NACOS: nacos.address, LANEWAY_SERVICE: name, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return new Promise((resolve, reject) => {
    child.stdout.on('data', text => {
      const found = /listening on (\d+)/.exec(text)
      if (found !== null) resolve(found[1])
    })
    child.once('exit', code => reject(new Error(`${name} ended with ${code}`)))
  })
}

await start('orders')
await start('orders', { VERSION: '1.1', LANEWAY_TAG: 'gray' })
await nacos.until(({ instances }) => instances('orders').length === 2)
const url = `http://127.0.0.1:${await start('web')}/`
for (const headers of [{}, { 'x-mse-tag': 'gray' }]) {
  console.log(`${headers['x-mse-tag'] ?? 'no tag'}: ${await (await fetch(url, { headers })).text()}`)
}
console.log(`try: curl ${url} -H 'x-mse-tag: gray'   (Ctrl-C ends everything)`)
