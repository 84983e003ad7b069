// Starts a registry in memory and four processes beside your Kafka, and sends two orders.
//   KAFKA=127.0.0.1:9092 npm start
import { spawn } from 'node:child_process'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { Kafka, logLevel } from 'kafkajs'

const address = process.env.KAFKA ?? '127.0.0.1:9092'
const topic = `orders-${Date.now()}`
const children = []
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})
process.on('SIGINT', () => process.exit(0))

const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 3 } }).admin()
await admin.connect().catch(() => {
  console.error(`there is no Kafka at ${address}: start one (docker run -p 9092:9092 apache/kafka), or set KAFKA`)
  process.exit(1)
})
await admin.createTopics({ topics: [{ topic }], waitForLeaders: true })
await admin.disconnect()
const nacos = await createNacosDevServer({ port: 0 }).start()

/** Starts a service under register. Resolves when it serves, with its port. */
function start(name, env = {}) {
  const child = spawn(process.execPath, ['--import', '@laneway/register', `src/${name}.js`], {
    env: { ...process.env, KAFKA: address, TOPIC: topic, LANEWAY_NACOS: nacos.address, LANEWAY_SERVICE: name, ...env },
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

await start('stock', { VERSION: '1.0' })
await start('stock', { VERSION: '1.1', LANEWAY_TAG: 'gray' })
await nacos.until(({ instances }) => instances('stock').length === 2)
await start('mailer')
const port = await start('shop')
for (const [id, headers] of Object.entries({ 1: {}, 2: { 'x-mse-tag': 'gray' } })) {
  await fetch(`http://127.0.0.1:${port}/orders/${id}`, { method: 'POST', headers })
}
console.log(`try: curl -X POST http://127.0.0.1:${port}/orders/3 -H 'x-mse-tag: gray'   (Ctrl-C ends everything)`)
