// Starts a registry in memory and five processes beside your Redis, and sends two orders.
//   REDIS_PORT=6379 npm start
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { createNacosDevServer } from '@laneway/nacos-dev-server'

const { REDIS_HOST: host = '127.0.0.1', REDIS_PORT: redisPort = '6379' } = process.env
const children = []
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
process.on('SIGINT', () => process.exit(0))

await new Promise((resolve, reject) => connect(Number(redisPort), host, resolve).once('error', reject).unref()).catch(
  () => {
    console.error(`there is no Redis at ${host}:${redisPort}: docker run -p 6379:6379 redis, or set REDIS_PORT`)
    process.exit(1)
  },
)
const nacos = await createNacosDevServer({ port: 0 }).start()

/** Starts a service under register. Resolves when it serves, with its port. */
function start(name, env = {}) {
  const flags = ['--import', '@laneway/register', '--import', 'tsx']
  const child = spawn(process.execPath, [...flags, `src/${name}.ts`], {
    env: {
      ...process.env,
      QUEUE: `mail-${process.pid}`,
      VERSION: '1.0',
      LANEWAY_NACOS: nacos.address,
      LANEWAY_SERVICE: name,
      LANEWAY_ISOLATE: `mail-${process.pid}`,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  return new Promise((resolve, reject) => {
    child.stdout.on('data', text => {
      if (/^order /.test(text)) process.stdout.write(text)
      const found = /listening (?:on|to) (\S+)/.exec(text)
      if (found !== null) resolve(found[1])
    })
    child.once('exit', code => reject(new Error(`${name} ended with ${code}`)))
  })
}

const gray = { VERSION: '1.1', LANEWAY_TAG: 'gray' }
const [port] = await Promise.all([
  start('shop'),
  start('mailer'),
  start('mailer', gray),
  start('stock'),
  start('stock', gray),
])
await nacos.until(({ instances }) => instances('stock').length === 2)
for (const [id, headers] of Object.entries({ 1: {}, 2: { 'x-mse-tag': 'gray' } })) {
  await fetch(`http://127.0.0.1:${port}/orders/${id}`, { method: 'POST', headers })
}
console.log(`try: curl -X POST http://127.0.0.1:${port}/orders/3 -H 'x-mse-tag: gray'   (Ctrl-C ends everything)`)
